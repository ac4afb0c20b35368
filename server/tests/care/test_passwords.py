"""Hashing: Argon2id, off the event loop, a few at a time."""

import asyncio
import threading
import time

from mos.care.actions.passwords import STANDARD, STRONG, Cost, Passwords

CHEAP = Cost(memory_kib=8, rounds=1)


async def test_a_password_is_right_only_for_its_own_hash():
    passwords = Passwords(CHEAP)
    secret = await passwords.hash("två fåglar i en björk")

    assert (await passwords.verify(secret, "två fåglar i en björk")).right
    assert not (await passwords.verify(secret, "tre fåglar i en björk")).right


async def test_the_same_letters_from_another_keyboard_are_the_same_password():
    passwords = Passwords(CHEAP)
    secret = await passwords.hash("bjo\u0308rk och a\u030al")

    assert (await passwords.verify(secret, "björk och ål")).right


async def test_nobodys_password_is_never_right():
    passwords = Passwords(CHEAP)

    assert await passwords.verify(None, "nobody's password") == (False, False)


async def test_a_damaged_hash_is_a_wrong_password():
    assert not (await Passwords(CHEAP).verify("not a hash", "anything at all")).right


async def test_a_raised_cost_is_noticed_at_the_next_right_password():
    secret = await Passwords(CHEAP).hash("a long enough password")
    dearer = Passwords(Cost(memory_kib=16, rounds=1))

    assert await dearer.verify(secret, "a long enough password") == (True, True)
    assert await dearer.verify(secret, "a wrong password") == (False, False)


async def test_the_costs_are_what_the_standards_ask_for():
    assert (await Passwords(STANDARD).hash("x")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await Passwords(STRONG).hash("x")).startswith("$argon2id$v=19$m=65536,t=3,p=1$")


async def test_no_more_are_checked_at_once_than_there_are_cores(monkeypatch):
    passwords = Passwords(CHEAP, at_once=2)
    lock, running, most = threading.Lock(), 0, 0

    def slow(_secret, _password):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords, "_is_right", slow)
    secret = await passwords.hash("a long enough password")

    await asyncio.gather(*(passwords.verify(secret, "whatever it is") for _ in range(8)))

    assert most == 2


async def test_a_password_is_compared_to_its_last_sign_and_as_it_was_typed():
    passwords = Passwords(CHEAP)
    long = "Å" + "x" * 1022 + "!"
    secret = await passwords.hash(long)

    assert (await passwords.verify(secret, long)).right
    # Neither cut short, nor trimmed, nor of another case.
    for other in (long[:-1], long[:-1] + "?", long.swapcase(), f" {long}", f"{long} "):
        assert not (await passwords.verify(secret, other)).right
    # The same letters are the same, however a keyboard writes them (NIST SP 800-63B, 3.1.1.2).
    assert (await passwords.verify(secret, "A\u030a" + long[1:])).right
