"""A tablet that holds its camera to a QR code: whoever shows the code sees at once who took it."""

from pathlib import Path

import pytest
import segno
from people import ARGUMENTS, CHROMIUM, SOON_MS, People
from playwright.sync_api import expect

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

_WIDTH, _HEIGHT = 640, 480


def film(path: Path, text: str) -> None:
    """Write a few seconds of a QR code as a camera would see it, for Chromium's false camera."""
    rows = [list(row) for row in segno.make(text, micro=False).matrix]
    scale = 9
    left, top = (_WIDTH - len(rows) * scale) // 2, (_HEIGHT - len(rows) * scale) // 2
    grey = bytearray(b"\xeb" * (_WIDTH * _HEIGHT))
    for y, row in enumerate(rows):
        for x, is_dark in enumerate(row):
            if is_dark:
                for line in range(scale):
                    at = (top + y * scale + line) * _WIDTH + left + x * scale
                    grey[at : at + scale] = b"\x10" * scale
    frame = b"FRAME\n" + bytes(grey) + b"\x80" * (_WIDTH * _HEIGHT // 2)
    head = f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + frame * 10)


def test_a_tablet_scans_a_code_and_whoever_shows_it_sees_so(
    people: People, home: Rehearsal, tmp_path: Path
):
    eva = people.open("eva")
    eva.goto(f"{home.url}/#/admin/residents")
    eva.get_by_role("button", name="Koppla surfplatta Tor Åkesson").click()
    shown = eva.get_by_role("dialog")
    expect(shown.get_by_text("Väntar på surfplattan")).to_be_visible()
    film(tmp_path / "camera.y4m", shown.get_by_role("textbox", name="Länken").input_value())
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'camera.y4m'}",
    ]
    chromium = people.playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, *camera]
    )
    try:
        tablet = People(home, people.playwright, chromium, people.faults).visit()
        # Of a demo, where the sign-in page offers people instead.
        tablet.goto(f"{home.url}/#/inbjudan")
        tablet.get_by_role("button", name="Läs av rutkoden med kameran").click()
        tablet.get_by_role("button", name="Ja, gör den till Tors").click(timeout=SOON_MS)
        # The ring test, or what rings for Tor already.
        expect(tablet.get_by_role("button", name="Ja, gör den till Tors")).to_have_count(
            0, timeout=SOON_MS
        )

        eva.clock.run_for(2_500)
        expect(shown.get_by_text("är nu klockan för Tor Åkesson")).to_be_visible(timeout=SOON_MS)
        shown.get_by_role("button", name="Ta tillbaka den").click()
        expect(shown.get_by_text("är avslutad och tömmer sig")).to_be_visible(timeout=SOON_MS)
        tablet.reload()
        expect(tablet.get_by_role("heading", name="Logga in")).to_be_visible(timeout=SOON_MS)
    finally:
        chromium.close()


def test_a_code_is_typed_where_there_is_no_camera(people: People, home: Rehearsal):
    eva = people.open("eva")
    eva.goto(f"{home.url}/#/admin/residents")
    eva.get_by_role("button", name="Koppla surfplatta Tor Åkesson").click()
    code = eva.locator(".code").inner_text()
    tablet = people.visit()

    tablet.goto(f"{home.url}/#/inbjudan")
    field = tablet.get_by_role("textbox", name="Koden")
    field.fill("K7QM")
    tablet.get_by_role("button", name="Fortsätt").click()
    expect(tablet.get_by_text("Koden har 16 bokstäver och siffror")).to_be_visible()
    field.fill(code.lower().replace("-", " "))
    tablet.get_by_role("button", name="Fortsätt").click()

    expect(tablet.get_by_role("button", name="Ja, gör den till Tors")).to_be_visible(
        timeout=SOON_MS
    )
