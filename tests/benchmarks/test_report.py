"""What a report says of the machine."""

import pytest

from benchmarks import report


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu sse2 avx2 fma", "avx2"),
        ("avx2 avx512f avx512_vnni", "avx512f"),
        ("avx2 avx512f avx512_bf16", "avx512_bf16"),
        ("avx2 avx512f avx512_bf16 amx_bf16 amx_tile", "amx_bf16"),
        ("fp asimd i8mm bf16", "bf16"),  # Arm
        ("", "unknown"),
    ],
)
def test_a_processor_is_named_by_the_best_instructions_it_has(flags, found):
    assert report.instructions(flags) == found


def test_processors_of_one_name_with_other_instructions_have_files_of_their_own():
    here = {"cores": 2, "processor": "AMD EPYC"}
    names = {report.slug({**here, "instructions": kind}) for kind in ("avx2", "avx512_bf16")}
    assert names == {"2-cores-amd-epyc-avx2", "2-cores-amd-epyc-avx512-bf16"}
