"""The real server and the reference side by side: whatever is done to one is done to the other."""

from mos.ops.sim.checks import Ledger
from mos.ops.sim.domain import LATER, LATER_KINDS
from mos.ops.sim.reference import Json, Reference, Who
from mos.ops.sim.server import Server


class Pair:
    """Both of them, and the ledger that compares what they answer."""

    def __init__(self, server: Server, reference: Reference, ledger: Ledger) -> None:
        """Begin with what these hold."""
        self._server = server
        self._reference = reference
        self._ledger = ledger
        self._saved: Reference | None = None
        self._erased: list[str] = []

    async def ask(self, kind: str, body: Json, who: Who, now_ms: int) -> Json:
        """Return the real server's answer, which the reference's is like."""
        answer = await self._server.ask(kind, body, who, now_ms)
        self._ledger.answered(kind, body, answer, who, now_ms)
        if kind == "push" and self._reference.unnamed():
            rows = await self._server.sql(
                "SELECT space_id::text, seq, op_id::text FROM op WHERE kind = 'system'"
            )
            self._reference.name({(space, seq): op for space, seq, op in rows})
        return answer

    # ── what an operator does

    async def set_state(self, space: str, state: int) -> None:
        """Open (0) or freeze (1) a space that was not erased."""
        if self._reference.spaces[space].state == 2:
            return
        await self._server.sql("UPDATE space SET state = $1 WHERE space_id = $2", state, space)
        self._reference.spaces[space].state = state

    async def tend(self, what: str, space: str, now_ms: int) -> None:
        """Do to a space's past what the worker or an operator does: compact, archive, erase."""
        if what == "erase":
            self._erased.append(space)
        if self._reference.spaces[space].state == 2:
            return
        await self._server.upkeep(what, space, now_ms)
        match what:
            case "compact":
                self._reference.compact(space, now_ms)
            case "archive":
                self._reference.archive(space, now_ms)
                self._ledger.archived |= self._server.archived(space)
            case _:
                self._reference.erase(space)

    def upgrade(self) -> None:
        """Let the server be the next release's from now on."""
        self._server.collections = LATER
        self._reference.kinds = dict(LATER_KINDS)

    # ── what a machine loses

    async def save(self) -> None:
        """Make a backup."""
        await self._server.save("sim")
        self._saved = self._reference.copy()

    async def restore(self, now_ms: int) -> None:
        """Lose everything since the backup, if there is one."""
        if self._saved is None:
            return
        await self._server.return_to("sim")
        self._reference.spaces = self._saved.copy().spaces
        self._ledger.restored()
        # The ledger of erasures is kept elsewhere, and replayed before anybody may ask.
        for space in list(self._erased):
            await self.tend("erase", space, now_ms)

    async def ask_undone(self, kind: str, body: Json, who: Who, now_ms: int) -> Json:
        """Ask, and let the server's process die before its commit: nothing of it stays."""
        await self._server.save("undone")
        kept = self._reference.copy()
        answer = await self.ask(kind, body, who, now_ms)
        await self._server.return_to("undone")
        self._reference.spaces = kept.spaces
        return answer
