"""Whoever manages the home sets a channel up, hears what is wrong beside it, and gives it back."""

import re

import pytest
from people import DESKTOP, People
from playwright.sync_api import expect

pytestmark = pytest.mark.journey


def test_sms_is_set_up_with_a_cap_and_given_back(people: People):
    page = people.open("admin", size=DESKTOP)
    page.get_by_role("link", name="Kanaler").click()
    sms = page.get_by_role("region", name="SMS")
    sms.get_by_label("Avsändare", exact=True).fill("MOS")
    press = sms.get_by_role("button", name="Spara", exact=True)

    press.click()
    login = sms.get_by_label("Inloggning")
    expect(login).to_be_focused()
    expect(login).to_have_accessible_description("Skriv namnet på kontot.")

    login.fill("u123")
    cap = sms.get_by_label("Högsta kostnad en månad")
    cap.fill("fem")
    press.click()
    expect(cap).to_be_focused()

    cap.fill("500")
    sms.get_by_label("Lösenord eller nyckel").fill("hemligt")
    press.click()
    expect(sms).to_contain_text("Er egen")
    expect(sms).to_contain_text(re.compile(r"Taket är 5,00\s?kr"))

    sms.get_by_role("button", name="Använd serverns inställningar igen").click()
    asked = page.get_by_role("dialog", name="Använda serverns inställningar igen?")
    asked.get_by_role("button", name="Ta bort våra inställningar").click()
    expect(sms).to_contain_text("Inte inställd")
    expect(login).to_have_value("")
    expect(cap).to_have_value("")


def test_a_webhook_is_added_paused_given_a_new_secret_and_removed(people: People):
    page = people.open("admin", size=DESKTOP)
    page.get_by_role("link", name="Kanaler").click()
    webhooks = page.get_by_role("region", name="Webhooks")
    webhooks.get_by_role("button", name="Ny webhook").click()
    form = page.get_by_role("dialog", name="Ny webhook")
    address = form.get_by_role("textbox", name="Adress")
    address.fill("https://192.168.1.1/mos")
    form.get_by_role("button", name="Lägg till").click()
    expect(address).to_have_accessible_description(re.compile("Skriv en https-adress"))
    address.fill("https://larm.example.org/mos")
    form.get_by_role("textbox", name="Namn").fill("Larmcentralen")
    form.get_by_role("button", name="Lägg till").click()

    shown = page.get_by_role("dialog", name="Hemligheten")
    first = shown.get_by_role("textbox", name="Hemligheten").input_value()
    assert first.startswith("whsec_")
    shown.get_by_role("button", name="Stäng").last.click()
    expect(webhooks).to_contain_text("Används")

    webhooks.get_by_role("button", name="Pausa Larmcentralen").click()
    expect(webhooks).to_contain_text("Pausad")
    page.get_by_role("button", name="Ångra", exact=True).click()
    expect(webhooks).to_contain_text("Används")

    webhooks.get_by_role("button", name="Mer om Larmcentralen").click()
    page.get_by_role("menuitem", name="Ny hemlighet").click()
    page.get_by_role("button", name="Skapa en ny").click()
    second = shown.get_by_role("textbox", name="Hemligheten").input_value()
    assert second.startswith("whsec_")
    assert second != first
    expect(shown).to_contain_text("Den gamla gäller också till")
    shown.get_by_role("button", name="Stäng").last.click()

    webhooks.get_by_role("button", name="Mer om Larmcentralen").click()
    page.get_by_role("menuitem", name="Ta bort").click()
    asked = page.get_by_role("dialog", name="Ta bort Larmcentralen?")
    asked.get_by_role("button", name="Ta bort").click()
    expect(webhooks.get_by_text("Larmcentralen")).to_have_count(0)
