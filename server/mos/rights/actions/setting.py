"""A readable document, set as PDF by Typst: tagged, so that it can be read aloud, too (PDF/UA-1).

Words come to the layout as data alone: nothing that anybody wrote is read as markup.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mos.rights.model import Readable

if TYPE_CHECKING:
    from typst import Fonts

_TEMPLATES = Path(str(resources.files("mos.rights.templates")))
_TYPE = Path(str(resources.files("fontpkg_atkinson_hyperlegible"))) / "files"


def pdf(document: Readable) -> bytes:
    """Return a document as PDF."""
    # Eighty megabytes, for what is rarely asked.
    import typst  # noqa: PLC0415

    words = msgspec.json.encode(document).decode()
    made = typst.compile(
        _TEMPLATES / "document.typ",
        root=_TEMPLATES,
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"document": words},
        pdf_standards=["ua-1"],
    )
    if not isinstance(made, bytes):
        raise TypeError("one document makes one file")
    return made


@cache
def _fonts() -> "Fonts":
    from typst import Fonts  # noqa: PLC0415

    return Fonts(include_system_fonts=False, font_paths=[_TYPE])
