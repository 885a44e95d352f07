"""verifier.findings"""

from __future__ import annotations

import pytest

from verifier.findings import Fault, PackageFinding, PackageVerdict, judged

MILDER = (Fault.MISSING, Fault.UNSIGNED)


@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        ([], PackageVerdict.AUTHENTIC),
        ([Fault.MISSING], PackageVerdict.MISSING),
        ([Fault.MISSING, Fault.ALTERED], PackageVerdict.NOT_AUTHENTIC),
        ([Fault.UNSIGNED], PackageVerdict.NOT_SIGNED),
        *(
            ([fault], PackageVerdict.NOT_AUTHENTIC)
            for fault in Fault
            if fault not in (Fault.MISSING, Fault.UNSIGNED)
        ),
    ],
)
def test_the_answer_is_in_onvifs_words(faults: list[Fault], verdict: PackageVerdict) -> None:
    assert judged([PackageFinding(fault, "file", "") for fault in faults], None).verdict is verdict
