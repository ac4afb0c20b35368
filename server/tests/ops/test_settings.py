"""Settings come from the environment, are all documented, and are refused by name."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from mos.kernel.settings import Smtp
from mos.ops.settings import ROOT, VARIABLES, SettingsError, clock_of, read_settings

KEYS = {"MOS_KEYS_URL": "postgresql://owner@/mos_keys"}
URL = {"DATABASE_URL": "postgresql://owner@/mos", **KEYS}


def test_every_setting_is_documented_and_nothing_else():
    table = (ROOT / "docs" / "settings.md").read_text().split("## What")[0]
    documented = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)

    assert sorted(documented) == sorted(variable.name for variable in VARIABLES)


def test_every_setting_that_the_code_reads_is_listed():
    # Read from the environment of `mos up` by others than us: the terminal's and the system's own.
    foreign = {
        "PATH",
        "CI",
        "HTTPS_PROXY",
        "DEBIAN_FRONTEND",
        "NO_COLOR",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
    read = set()
    for file in (ROOT / "server" / "mos").rglob("*.py"):
        found = re.findall(r"""environ(?:\.get\(|\[|, )["']([A-Z_]+)["']""", file.read_text())
        read |= set(found)

    assert read - foreign <= {variable.name for variable in VARIABLES}


def test_one_login_plays_both_roles():
    settings = read_settings(URL)

    assert settings.app_url == settings.engine_url == URL["DATABASE_URL"]
    assert (settings.app_role, settings.engine_role) == ("mos_app", "mos_engine")


def test_roles_that_sign_in_themselves_are_not_taken_again():
    settings = read_settings(
        {"MOS_APP_URL": "postgresql://a", "MOS_ENGINE_URL": "postgresql://e", **KEYS}
    )

    assert (settings.app_role, settings.engine_role) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({}, "set DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://owner@/mos"}, "set MOS_KEYS_URL"),
        ({**URL, "MOS_DEMO": "yes"}, "MOS_DEMO is 'yes'"),
        ({**URL, "MOS_PUBLIC_URL": "mos.example"}, "MOS_PUBLIC_URL is"),
        ({**URL, "MOS_PUSH_REWRITE": "https://a"}, "MOS_PUSH_REWRITE is wrong"),
        ({**URL, "MOS_TRUSTED_PROXIES": "lan"}, "MOS_TRUSTED_PROXIES names 'lan'"),
        ({**URL, "MOS_WORKER_METRICS": "0.0.0.0:9109"}, "MOS_WORKER_METRICS is '0.0.0.0:9109'"),
        ({**URL, "MOS_WORKER_METRICS": "127.0.0.1:99999"}, "set it to an address of this machine"),
        ({**URL, "MOS_WORKER_METRICS": "9109"}, "set it to an address of this machine"),
        ({**URL, "MOS_PASSWORD_COST": "weak"}, "MOS_PASSWORD_COST is 'weak'"),
        ({**URL, "MOS_SMTP": "mail.example.org"}, "MOS_SMTP is wrong"),
        ({**URL, "MOS_SMTP": "smtp://mail.example.org:x?from=a@b.se"}, "MOS_SMTP is wrong"),
        ({**URL, "MOS_SMTP": "smtp://mail.example.org"}, "MOS_SMTP is wrong"),
        ({**URL, "MOS_SMTP": "smtp://a:b@mail.example.org?from=a@b.se"}, "MOS_SMTP holds a"),
        (
            {**URL, "MOS_SMTP": "smtp://a@mail.example.org?from=a@b.se", "MOS_SECRETS": "/none"},
            "write the password into /none/smtp.password",
        ),
        ({**URL, "MOS_CHANNEL_NETWORKS": "lan"}, "MOS_CHANNEL_NETWORKS names 'lan'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(wrong, sentence):
    with pytest.raises(SettingsError, match=sentence):
        read_settings(wrong)


def test_a_clock_file_moves_the_clock_at_each_look(tmp_path):
    file = tmp_path / "clock"
    clock = clock_of(read_settings({**URL, "MOS_CLOCK_FILE": str(file)}))

    assert abs(clock() - datetime.now(UTC)) < timedelta(seconds=5)
    file.write_text("86400")
    assert abs(clock() - datetime.now(UTC) - timedelta(days=1)) < timedelta(seconds=5)


def test_a_mail_server_is_one_address_and_its_password_a_file(tmp_path):
    (tmp_path / "smtp.password").write_text("a password")
    smtp = read_settings(
        {
            **URL,
            "MOS_SECRETS": str(tmp_path),
            "MOS_SMTP": "smtp://mos%40example.org@mail.example.org?from=mos@example.org",
        }
    ).smtp

    assert smtp == Smtp(
        host="mail.example.org", port=587, security="starttls", login="mos@example.org",
        sender="mos@example.org",
    )  # fmt: skip
    tls = read_settings({**URL, "MOS_SMTP": "smtps://10.0.0.5?from=mos@example.org"}).smtp
    assert (tls.port, tls.security, tls.login) == (465, "tls", "")
