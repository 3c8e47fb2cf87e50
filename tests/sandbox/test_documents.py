"""Made-up extraction results."""

import json
import random

import pytest

from docurift_nb.sandbox.documents import DOCUMENT_TYPES, extracted_fields


@pytest.mark.parametrize("document_type", sorted(DOCUMENT_TYPES))
def test_every_type_has_fields_that_are_json(document_type: str) -> None:
    """Each documented type gets at least four fields, all of them plain JSON."""
    fields = extracted_fields(document_type, random.Random(1))
    assert len(fields) >= 4
    assert json.loads(json.dumps(fields)) == fields


def test_fields_depend_on_the_generator_alone() -> None:
    """The same generator state gives the same fields."""
    first, again = (extracted_fields("bill_of_lading", random.Random(5)) for _ in range(2))
    assert first == again
    assert first != extracted_fields("bill_of_lading", random.Random(6))


def test_invoice_has_the_documented_fields() -> None:
    """An invoice has the five fields of the contract's example."""
    names = {"invoiceNumber", "amount", "currency", "vendor", "date"}
    assert names <= extracted_fields("invoice", random.Random(1)).keys()
