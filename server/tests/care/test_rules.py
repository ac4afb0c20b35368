"""The one rule table, and the other pure decisions of care."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from mos.care import rules
from mos.care.model import Access, Actor, Permission, Policy, Reach, Role
from mos.kernel.errors import Invalid

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
SPACE = UUID(int=1)
CONTENT = frozenset(Permission) - {Permission.CARE_MANAGE}


def an_actor(role):
    return Actor(org=UUID(int=2), account=UUID(int=3), role=role, session=UUID(int=4), device=None)


@given(
    role=st.sampled_from(Role),
    permission=st.sampled_from(Permission),
    granted=st.frozensets(st.sampled_from(Permission)),
)
def test_nobody_may_what_was_not_granted_or_is_beyond_their_role(role, permission, granted):
    allowed = rules.may(an_actor(role), permission, Access(SPACE, granted))

    assert allowed == (permission in granted and permission in rules.CEILING[role])


def test_administrators_and_auditors_can_never_have_content():
    for role in (Role.ADMIN, Role.AUDITOR):
        assert not rules.CEILING[role] & CONTENT


def test_every_role_has_a_place_in_the_table():
    assert rules.CEILING.keys() == set(Role)


def test_only_nurses_and_families_decide_about_medication():
    deciding = {role for role in Role if Permission.MEDICATION_EDIT in rules.CEILING[role]}

    assert deciding == {Role.NURSE, Role.RELATIVE}
    assert Permission.MEDICATION_EDIT in rules.ceiling(Role.RELATIVE, Policy.FAMILY)
    assert Permission.MEDICATION_EDIT not in rules.ceiling(Role.RELATIVE, Policy.CARE_RECORD)


def test_only_in_a_family_does_a_relative_manage():
    everybody = {role: rules.managing_policies(role) for role in Role}

    assert everybody[Role.RELATIVE] == {Policy.FAMILY}
    assert everybody[Role.MANAGER] == set(Policy)
    assert not any(
        policies
        for role, policies in everybody.items()
        if role not in (Role.RELATIVE, Role.MANAGER)
    )
    manages = frozenset({Permission.CARE_MANAGE})
    with pytest.raises(Invalid):
        rules.check_relation(
            Role.RELATIVE, Policy.CARE_RECORD, manages, is_primary=False, of="unit"
        )


def test_who_founds_a_family_is_of_it_and_who_founds_a_care_provider_sees_nobody():
    assert rules.founding_role(Policy.FAMILY) is Role.RELATIVE
    assert rules.founding_role(Policy.CARE_RECORD) is Role.ADMIN


def test_a_word_of_a_newer_release_gives_nothing():
    words = ["plan.view", "everything", ""]

    assert rules.cut(Role.NURSE, Policy.CARE_RECORD, words) == {Permission.PLAN_VIEW}


def test_what_is_usual_for_a_role_is_within_it():
    for role in Role:
        for policy in Policy:
            assert rules.usual(role, policy) <= rules.ceiling(role, policy) | CONTENT
            if rules.ceiling(role, policy) & CONTENT and role is not Role.RESIDENT:
                rules.check_relation(
                    role, policy, rules.usual(role, policy), is_primary=False, of="unit"
                )


def test_managers_manage_supporters_and_residents_only():
    manager, admin = an_actor(Role.MANAGER), an_actor(Role.ADMIN)

    assert {role for role in Role if rules.may_manage_role(manager, role)} == {
        Role.RESIDENT, Role.RELATIVE, Role.CAREGIVER, Role.NURSE,
    }  # fmt: skip
    assert all(rules.may_manage_role(admin, role) for role in Role)
    for role in set(Role) - {Role.MANAGER, Role.ADMIN, Role.RELATIVE}:
        assert not any(rules.may_manage_role(an_actor(role), other) for other in Role)


def test_a_managers_reach_is_their_units():
    mine, other = UUID(int=5), UUID(int=6)
    reach = Reach(everything=False, units=frozenset({mine}))

    assert rules.may_manage_unit(reach, mine)
    assert not rules.may_manage_unit(reach, other)
    assert rules.may_manage_unit(Reach(everything=True, units=frozenset()), other)


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(1, None), (4, None), (5, 1), (6, 2), (7, 4), (10, 32), (11, 60), (12, 60), (5000, 60)],
)
def test_the_lock_begins_at_a_minute_and_doubles_to_an_hour(failures, minutes):
    lock = rules.lock_after(failures, free=5)

    assert lock == (None if minutes is None else timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("ninechars", "password_short"),
        ("", "password_short"),
        ("Password123", "password_common"),
        ("QWERTYUIOP", "password_common"),
        ("välkommen123", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("1212121212121212", "password_common"),
        ("noor.andersson@example.test", "password_personal"),
        ("noor.andersson", "password_personal"),
        ("Noor Andersson", "password_personal"),
        ("Andersson1987", "password_personal"),
        ("!Noor-Mos-2026!", "password_personal"),
        ("MatOchSovklocka 1", "password_common"),
        ("Boende-Personal-7", "password_common"),
        ("mos123456789x", "password_common"),
    ],
)
def test_a_short_common_or_personal_password_is_refused(password, code):
    with pytest.raises(Invalid) as refused:
        rules.check_password(password, email="noor.andersson@example.test", name="Noor Andersson")

    assert refused.value.code == code
    assert refused.value.field == "password"


def test_the_3000_commonest_passwords_that_are_long_enough_are_refused():
    known = FREQUENCY_LISTS["passwords"]
    long_enough = {word for word in known if len(word) >= rules.PASSWORD_LEAST}
    words = [word for word in known[:6000] if word.isalpha() and len(word) >= 6]
    # How people make them longer where ten signs are asked for.
    lengthened = {f"{word}{end}" for word in words[:1500] for end in ("1234", "2026", "123!")}

    assert len(long_enough) > 1000
    assert len(long_enough | lengthened) > 3000
    for password in long_enough | lengthened:
        with pytest.raises(Invalid):
            rules.check_password(password.upper(), email=None, name="Noor")


@pytest.mark.parametrize(
    "password",
    ["Sommar2026!", "midsommar-1", "Göteborg1234", "JULIJULI2026", "Helsinki2026", "perkele123!",
     "Kissakissa1", "mansikka2025", "Elephant1234", "monkeymonkey"],
)  # fmt: skip
def test_one_common_word_and_some_signs_is_common_in_three_languages(password):
    with pytest.raises(Invalid) as refused:
        rules.check_password(password, email=None, name="Noor")
    assert refused.value.code == "password_common"


def test_words_of_this_place_are_listed_and_are_no_password_with_digits():
    page = (Path(__file__).resolve().parents[3] / "docs/sign-in.md").read_text(encoding="utf-8")
    listed = page.partition("these words")[2].partition("\n\n")[0]

    assert set(re.findall(r"`([^`]+)`", listed)) == rules.CONTEXT_WORDS
    for word in rules.CONTEXT_WORDS:
        with pytest.raises(Invalid) as refused:
            rules.check_password(f"{word}.{word}2026!", email=None, name="Noor Andersson")
        assert refused.value.code == "password_common"


@pytest.mark.parametrize(
    "password",
    [
        "två fåglar i en björk",
        "correct horse battery",
        "ööööåååå12",
        "x7!kPq2#zL",
        "sommar fotboll 7",
        "kissa 8361 9406 katten",
        "q" * 40 + "wxyz",
        "fågelsång åttio",
        "lumihiutale 17 maton alla",
    ],
)
def test_length_counts_and_kinds_of_characters_do_not(password):
    rules.check_password(password, email=None, name="Noor")


def test_a_supporters_session_is_bounded_and_a_residents_is_not():
    opened = NOW - timedelta(days=20)

    assert rules.session_end(Role.CAREGIVER, created_at=NOW, now=NOW) == NOW + timedelta(days=14)
    assert rules.session_end(Role.NURSE, created_at=opened, now=NOW) == opened + timedelta(days=30)
    assert rules.session_end(Role.RESIDENT, created_at=opened, now=NOW) == NOW + timedelta(days=60)
