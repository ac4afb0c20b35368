"""What leaves the house says that something is the matter, and never what, or with whom.

An alert climbs through push, e-mail and a webhook by the real senders, as they are set up by
default; the services that take it open everything, and look for what the home knows.
"""

import json
from uuid import uuid4

from builders import a_channel, a_contact
from engine_world import a_world
from http_service import http_service
from mail_service import PASSWORD

from mos.dispatch.channels.services import contact_context
from mos.privacy import seals

TITLE = "Kanariefågelns medicin"
NOTE = "Kanariefågeln i köket"
NAME = "Kanaria Fågelholm"


async def test_nothing_that_is_sent_tells_what_is_planned_or_for_whom(database, mail):
    async with a_world(database) as world, http_service() as service:
        service.answer = (204, {}, b"")
        await database.sql("UPDATE account SET name = $1", NAME)
        await database.sql("UPDATE organisation SET name = $1", NAME)
        account, phone = await world.supporter(primary=True)
        hook, seal = uuid4(), seals.load(database.settings.secrets / "seal.key")
        sealed = seal.seal(contact_context(world.home.org, hook), b"k" * 32)
        await a_contact(
            database, world.home.org, None, f"{service.url}/hook", channel="webhook",
            secret=sealed, id=hook,
        )  # fmt: skip
        await a_channel(database, world.home.org, "email", mail.settings, secret=PASSWORD)
        await a_contact(database, world.home.org, account, "sam@example.test")
        reminder = await world.plan("08:00", title=TITLE, note=NOTE, criticality="critical")
        for time in ("08:00", "08:15", "08:30", "09:00"):
            await world.at(time)

        # What is not to leave is in the house.
        [kept] = await database.sql("SELECT doc FROM rec WHERE rec_id = $1", reminder)
        assert TITLE in json.dumps(kept["doc"], ensure_ascii=False)
        # Each way was used, and what it carried can be read.
        pushed = [*world.tablet_browser.told, *phone.told]
        mailed = [f"{sent.items()} {sent.get_content()}" for sent in mail.mails]
        posted = [f"{heard.path} {heard.headers} {heard.body.decode()}" for heard in service.heard]
        assert phone.told
        assert world.tablet_browser.told
        assert any("MOS" in each for each in mailed)
        assert any("alert.opened" in each for each in posted)
        left = json.dumps(pushed, ensure_ascii=False) + "".join(mailed) + "".join(posted)
        left += json.dumps(world.service.posts, ensure_ascii=False)
        for word in ("anari", "Fågel", "medicin", "köket", TITLE, NOTE, NAME):
            assert word not in left, word
