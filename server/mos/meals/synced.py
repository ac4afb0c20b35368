"""What meals synchronise: what a resident cannot eat, and how food must be.

Adding an allergy is immediate. That less counts, and how food must be, is proposed and confirmed.
"""

from mos.kernel.ids import named_id
from mos.meals.model import check_allergy, check_lowering, check_texture, name_of
from mos.sync.model import Collection

_MAY = "meals.edit"

SYNCED: tuple[Collection, ...] = (
    Collection(name="allergy", kind="event", write=_MAY, check=check_allergy),
    Collection(
        name="allergy_lowering",
        kind="safety",
        write=_MAY,
        confirm=_MAY,
        check=check_lowering,
        named=lambda space, rec, groups: rec == named_id(space, f"allergy/{name_of(groups['v'])}"),
    ),
    Collection(
        name="texture",
        kind="safety",
        write=_MAY,
        confirm=_MAY,
        check=check_texture,
        named=lambda space, rec, _groups: rec == named_id(space, "texture"),
    ),
)
