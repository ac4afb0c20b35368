"""What meals synchronise: what a resident cannot eat. Adding is immediate."""

from mos.meals.model import check_allergy
from mos.sync.model import Collection

SYNCED: tuple[Collection, ...] = (
    Collection(name="allergy", kind="event", write="meals.edit", check=check_allergy),
)
