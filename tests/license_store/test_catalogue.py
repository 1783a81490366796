"""The catalogue: what fits a type and what is refused, every fault named at once."""

from dataclasses import replace

import pytest
from stdnum.cn import uscc

from license_store import catalogue
from license_store.catalogue import BUSINESS_LICENSE, Catalogue
from license_store.model import (
    FaceField,
    FieldKind,
    HolderCodeType,
    LicenseDataInvalid,
    UnknownLicenseType,
)
from tests.license_store.town import FACE, HOLDER


def problems(**changes: str) -> dict[str, str]:
    """Give what the catalogue says of the example with these changes, by field."""
    with pytest.raises(LicenseDataInvalid) as refused:
        catalogue.validate(BUSINESS_LICENSE, HOLDER, {**FACE, **changes})
    return {row.field: row.problem for row in refused.value.problems}


def test_the_types_own_examples_fit_it() -> None:
    assert dict(catalogue.validate(BUSINESS_LICENSE, HOLDER, FACE)) == FACE


def test_the_definer_of_every_type_is_an_organisation_and_begins_its_code() -> None:
    for kind in catalogue.TYPES:
        uscc.validate(kind.definer_code)
        assert kind.code[:18] == kind.definer_code
        assert kind.code[18:].isdigit()
        assert len(kind.code) == 21


def test_every_fault_is_named_at_once() -> None:
    assert problems(scope="", capital="x" * 41, established="2019-02-30", colour="red").keys() == {
        "scope",
        "capital",
        "established",
        "colour",
    }


@pytest.mark.parametrize("value", ["20190301", "2019-3-1", "2019-02-29", "２０１９-03-01", "2019-W09-5"])
def test_a_day_must_exist_and_be_written_one_way(value: str) -> None:
    assert "established" in problems(established=value)


@pytest.mark.parametrize("character", ["\n", "\0", "\u202e", "\u200b", "\ud800", "\ue000", "\ufffe"])
def test_characters_that_do_not_print_are_refused(character: str) -> None:
    assert "cannot be printed" in problems(legal_representative=f"张{character}三")["legal_representative"]


def test_blanks_at_the_ends_are_refused() -> None:
    assert "blanks" in problems(capital=" 壹佰万元整")["capital"]


def test_a_refusal_never_repeats_the_value() -> None:
    with pytest.raises(LicenseDataInvalid) as refused:
        catalogue.validate(BUSINESS_LICENSE, HOLDER, {**FACE, "legal_representative": "王小明" * 20})
    assert "王小明" not in refused.value.detail


def test_a_holder_code_with_a_wrong_check_character_is_refused() -> None:
    with pytest.raises(LicenseDataInvalid, match=r"holder\.code: the check character"):
        catalogue.validate(BUSINESS_LICENSE, replace(HOLDER, code="91440300MA9999999A"), FACE)


def test_a_holder_of_another_kind_is_refused() -> None:
    with pytest.raises(LicenseDataInvalid, match=r"holder\.code_type"):
        catalogue.validate(BUSINESS_LICENSE, replace(HOLDER, code_type=HolderCodeType.CITIZEN), FACE)


def test_the_newest_version_is_issued_and_the_old_one_still_known() -> None:
    newer = replace(BUSINESS_LICENSE, version=2, name_zh="营业执照（新版）")
    known = Catalogue([newer, BUSINESS_LICENSE])
    assert known.current(BUSINESS_LICENSE.code) == newer
    assert known.version(BUSINESS_LICENSE.code, 1) == BUSINESS_LICENSE


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UnknownLicenseType):
        Catalogue().current("0" * 21)


def test_a_pattern_must_match_the_whole_value() -> None:
    plate = FaceField(name="plate", zh="号牌", en="Plate", pattern="[0-9]{3}", required=False)
    code = FaceField(name="body", zh="机构", en="Body", kind=FieldKind.ORGANISATION_CODE, required=False)
    kind = replace(BUSINESS_LICENSE, fields=(plate, code))
    assert dict(catalogue.validate(kind, HOLDER, {"plate": "123"})) == {"plate": "123"}
    with pytest.raises(LicenseDataInvalid, match=r"plate: .*body: |body: .*plate: "):
        catalogue.validate(kind, HOLDER, {"plate": "1234", "body": "123"})


def test_the_json_schema_says_what_the_check_demands() -> None:
    schema = catalogue.json_schema(BUSINESS_LICENSE)
    assert schema["required"] == [row.name for row in BUSINESS_LICENSE.fields]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert properties["established"]["format"] == "date"
    assert properties["established"]["examples"] == ["2019-03-01"]
