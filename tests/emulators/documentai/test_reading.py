"""What Document AI reads, and the shape of its answer."""

from io import BytesIO
from itertools import pairwise

import pytest
from google.cloud import documentai
from google.cloud.documentai import Document, DocumentProcessorServiceAsyncClient
from PIL import Image

from tests import material
from tests.emulators.documentai.conftest import PROCESSOR
from tests.emulators.engines import character_error_rate

Client = DocumentProcessorServiceAsyncClient


async def read(client: Client, content: bytes, mime_type: str, **request: object) -> Document:
    """The document that the engine makes of these bytes."""
    raw = documentai.RawDocument(content=content, mime_type=mime_type)
    answer = await client.process_document(
        request=documentai.ProcessRequest(name=PROCESSOR, raw_document=raw, **request), timeout=120
    )
    return answer.document


def anchored(document: Document, layout: Document.Page.Layout) -> str:
    """The text that an element points at."""
    return "".join(document.text[part.start_index : part.end_index] for part in layout.text_anchor.text_segments)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif", "bmp", "tiff"])
async def test_clean_print_is_read_with_at_most_one_character_in_a_hundred_wrong(client: Client, kind: str) -> None:
    document = await read(client, material.picture(kind), f"image/{kind}")

    assert character_error_rate(document.text, material.LETTER) <= 0.01


@pytest.mark.parametrize(("name", "mime_type"), [("letter.png", "image/png"), ("survey-report.pdf", "application/pdf")])
async def test_the_sample_scans_are_read_with_at_most_two_characters_in_a_hundred_wrong(
    client: Client, name: str, mime_type: str
) -> None:
    document = await read(client, material.sample(name), mime_type)

    truth = material.expected(name.partition(".")[0])
    assert character_error_rate(document.text, truth) <= 0.02
    print(f"{name}: character error rate {character_error_rate(document.text, truth):.4f}")


async def test_every_element_points_at_its_text_and_at_its_place(client: Client) -> None:
    document = await read(client, material.picture("png"), "image/png")

    page = document.pages[0]
    assert page.page_number == 1
    assert (page.dimension.width, page.dimension.height, page.dimension.unit) == (1654, 2338, "pixels")
    assert anchored(document, page.layout) == document.text
    assert "".join(anchored(document, token.layout) for token in page.tokens) == document.text
    assert [anchored(document, line.layout) for line in page.lines] == [
        f"{line}\n" for line in document.text.splitlines()
    ]
    assert "".join(anchored(document, block.layout) for block in page.blocks) == document.text
    assert "".join(anchored(document, paragraph.layout) for paragraph in page.paragraphs) == document.text
    for token in page.tokens:
        corners = token.layout.bounding_poly.normalized_vertices
        assert len(corners) == 4
        assert 0 < corners[0].x < corners[2].x < 1
        assert 0 < corners[0].y < corners[2].y < 1
        assert token.layout.bounding_poly.vertices[2].x == pytest.approx(corners[2].x * 1654, abs=1)
        assert 0.5 < token.layout.confidence <= 1
        assert token.detected_break.type_ == Document.Page.Token.DetectedBreak.Type.SPACE
    assert page.layout.confidence > 0.85
    assert page.detected_languages[0].language_code == "en"


async def test_words_on_one_line_stand_from_left_to_right(client: Client) -> None:
    document = await read(client, material.picture("png", "one two three four five"), "image/png")

    tokens = document.pages[0].tokens
    assert [anchored(document, token.layout).strip() for token in tokens] == ["one", "two", "three", "four", "five"]
    for left, right in pairwise(tokens):
        assert left.layout.bounding_poly.vertices[1].x <= right.layout.bounding_poly.vertices[0].x


@pytest.mark.parametrize("content", [material.blank_page(), material.picture("png", "")], ids=["scan", "white"])
async def test_a_blank_page_has_no_tokens_and_no_text(client: Client, content: bytes) -> None:
    document = await read(client, content, "image/png")

    assert document.text == ""
    assert len(document.pages) == 1
    assert not document.pages[0].tokens
    assert not document.pages[0].blocks


@pytest.mark.parametrize("degrees", [90, 180, 270])
async def test_a_scan_that_lies_on_its_side_or_head_is_turned_and_read(client: Client, degrees: int) -> None:
    document = await read(client, material.turned_scan(degrees), "image/png")

    assert character_error_rate(document.text, material.LETTER) <= 0.02
    assert (document.pages[0].dimension.width, document.pages[0].dimension.height) == (1654, 2338)


async def test_every_page_of_a_tiff_is_read_and_points_into_the_whole_text(client: Client) -> None:
    document = await read(client, material.tiff(["first sheet", "second sheet", "third sheet"]), "image/tiff")

    assert document.text == "first sheet\nsecond sheet\nthird sheet\n"
    assert [page.page_number for page in document.pages] == [1, 2, 3]
    assert [anchored(document, page.layout) for page in document.pages] == [
        "first sheet\n",
        "second sheet\n",
        "third sheet\n",
    ]


async def test_a_page_comes_with_its_picture_unless_the_request_is_imageless_or_masks_it(client: Client) -> None:
    content = material.picture("png", "picture")

    document = await read(client, content, "image/png")
    with Image.open(BytesIO(document.pages[0].image.content)) as image:
        assert (image.format, image.size) == ("PNG", (1654, 2338))

    imageless = await read(client, content, "image/png", imageless_mode=True)
    assert not imageless.pages[0].image.content
    masked = await read(client, content, "image/png", field_mask={"paths": ["text", "pages.tokens"]})
    assert not masked.pages[0].image.content


async def test_a_field_mask_leaves_only_what_it_names(client: Client) -> None:
    content = material.picture("png", "masked")

    text_only = await read(client, content, "image/png", field_mask={"paths": ["text"]})
    assert text_only.text == "masked\n"
    assert not text_only.pages
    tokens = await read(
        client, content, "image/png", field_mask={"paths": ["text", "pages.tokens", "pages.page_number"]}
    )
    assert len(tokens.pages[0].tokens) == 1
    assert not tokens.pages[0].lines
    assert not tokens.pages[0].layout.text_anchor.text_segments


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"individual_page_selector": {"pages": [4, 2]}}, [2, 4]),
        ({"from_start": 2}, [1, 2]),
        ({"from_end": 2}, [4, 5]),
        ({"from_start": 50}, [1, 2, 3, 4, 5]),
    ],
    ids=["selected", "from the start", "from the end", "more than there are"],
)
async def test_only_the_pages_asked_for_are_read(
    client: Client, options: dict[str, object], numbers: list[int]
) -> None:
    document = await read(client, material.numbered_pdf(5), "application/pdf", process_options=options)

    assert [page.page_number for page in document.pages] == numbers
    assert document.text == "".join(f"Sheet {number}\n" for number in numbers)


async def test_the_text_layer_of_a_pdf_is_taken_when_asked_for(client: Client) -> None:
    # Letters that OCR would read otherwise: a figure among small ones, which the layer has exactly.
    content = material.pdf(["Item l1O0 of lot S5\nsecond line"])

    document = await read(
        client, content, "application/pdf", process_options={"ocr_config": {"enable_native_pdf_parsing": True}}
    )

    assert document.text == "Item l1O0 of lot S5\nsecond line\n"
    assert all(token.layout.confidence == 1 for token in document.pages[0].tokens)
    first, last = document.pages[0].tokens[0], document.pages[0].tokens[-1]
    assert first.layout.bounding_poly.vertices[0].y < last.layout.bounding_poly.vertices[0].y


async def test_a_page_without_a_text_layer_is_read_even_when_the_layer_is_asked_for(client: Client) -> None:
    content = material.scanned_pdf(["only a scan"])

    document = await read(
        client, content, "application/pdf", process_options={"ocr_config": {"enable_native_pdf_parsing": True}}
    )

    assert document.text == "only a scan\n"


async def test_quality_scores_come_when_asked_for(client: Client) -> None:
    document = await read(
        client,
        material.picture("png"),
        "image/png",
        process_options={"ocr_config": {"enable_image_quality_scores": True}},
    )

    assert document.pages[0].image_quality_scores.quality_score > 0.8


async def test_human_review_is_always_skipped(client: Client) -> None:
    raw = documentai.RawDocument(content=material.picture("png", "reviewed"), mime_type="image/png")
    answer = await client.process_document(
        request=documentai.ProcessRequest(name=PROCESSOR, raw_document=raw, skip_human_review=True)
    )

    assert answer.human_review_status.state == documentai.HumanReviewStatus.State.SKIPPED


async def test_an_inline_document_is_read_from_its_content(client: Client) -> None:
    inline = Document(content=material.picture("png", "inline"), mime_type="image/png")
    answer = await client.process_document(request=documentai.ProcessRequest(name=PROCESSOR, inline_document=inline))

    assert answer.document.text == "inline\n"


async def test_a_processor_is_there_under_any_name(client: Client) -> None:
    processor = await client.get_processor(name=PROCESSOR)

    assert processor.type_ == "OCR_PROCESSOR"
    assert processor.state == documentai.Processor.State.ENABLED
