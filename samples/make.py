"""Makes the files of `samples/upload` and `samples/expected`: `python -m samples.make`.

The recording of Austen is not made here: `--austen DIR` joins it anew from the five clips named in the README.
"""

import argparse
from pathlib import Path

import numpy as np

from samples.paper import printed, scanned
from samples.sound import Samples, encode, load, silence

HERE = Path(__file__).parent
UPLOAD = HERE / "upload"
EXPECTED = HERE / "expected"

DPI = 200
PAUSE = 0.6
"""Seconds between two clips."""

LETTER = """\
Harbour Office of Wexley
14 Quay Street, Wexley

3 March 2026

To the Museum of Coastal Life
Attention: Dr. Helen Marsh

Dear Dr. Marsh,

Thank you for your letter of 12 February about the tide records that we keep in the old pilot house. We have now \
found all eleven volumes. The oldest begins on 1 January 1874 and the last one ends in the autumn of 1931, when the \
gauge was moved to the new pier.

Volumes 4 and 7 have suffered from damp, but every page can still be read. We would be glad to have them copied \
before they are lent to anyone. The cost was put at 1,250 pounds for the whole set, which the office is ready to \
share with you in equal parts.

If this is agreeable, please let us know by the end of April. Our clerk, Mr. Thomas Reed, will then arrange the \
transport with your staff. He can be reached every morning between 9 and 12.

With kind regards,

Margaret Ellison
Harbour Master
"""

REPORT = (
    """\
REPORT ON THE SPRING SURVEY                                          Page 1

1. Purpose

The survey was made to find out how far the sand has moved since the storm of last November. Twelve stations were \
visited between 2 and 9 April. At each of them the depth was taken three times and the mean was written down.

2. Method

All soundings were made from the same boat, at slack water and with the wind below four. The lead was marked in \
quarter metres. Positions were fixed by two bearings to the church tower and to the light on the northern mole.

3. Results

The channel has become narrower by eight metres at station five, and the bar now lies further to the east. Nowhere \
was the depth less than 3.5 metres at low water, so that fishing boats may still enter at any time.
""",
    """\
REPORT ON THE SPRING SURVEY                                          Page 2

4. Discussion

The movement is larger than in any year since 2011. It is likely that the broken groyne on the south beach is the \
cause, since the sand that it used to hold is missing there and has been found at stations five and six.

5. Recommendation

We recommend that the groyne be repaired before winter. A second survey in September will show whether the bar has \
come to rest. The buoy at the entrance should be laid forty metres further east until then.

Signed at Wexley on 21 April 2026

Daniel Okoro, Surveyor
""",
)

STATIONS = """\
station,date,depth_m,bottom
1,2026-04-02,6.25,mud
2,2026-04-02,5.75,mud
3,2026-04-03,5.50,sand
4,2026-04-03,4.75,sand
5,2026-04-04,3.50,sand
6,2026-04-04,3.75,sand
"""

AUSTEN = """\
And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do for them. \
He was not an ill-disposed young man, unless to be rather cold-hearted and rather selfish is to be ill-disposed. \
Had he married a more amiable woman, he might have been made still more respectable than he was. \
He might even have been made amiable himself.
"""

DICKENS = """\
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was \
the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it \
was the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were \
all going direct to Heaven, we were all going direct the other way - in short, the period was so far like the present \
period, that some of its noisiest authorities insisted on its being received, for good or for evil, in the \
superlative degree of comparison only.
"""


def main() -> None:
    """Write every sample anew; the same input gives the same bytes of text and pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--austen", type=Path, help="folder of the five clips to join; without it the sample stays")
    clips = parser.parse_args().austen
    UPLOAD.mkdir(exist_ok=True)
    EXPECTED.mkdir(exist_ok=True)
    _documents()
    _recordings(clips)


def _documents() -> None:
    scanned(printed(LETTER, DPI), tilt=0.8, seed=1).save(UPLOAD / "letter.png", optimize=True)
    first, *others = [
        scanned(printed(page, DPI), tilt, seed=2).convert("RGB") for page, tilt in zip(REPORT, (-0.5, 0.3), strict=True)
    ]
    first.save(UPLOAD / "survey-report.pdf", save_all=True, append_images=others, resolution=DPI, quality=50)
    (UPLOAD / "stations.csv").write_text(STATIONS)
    (EXPECTED / "letter.txt").write_text(LETTER)
    (EXPECTED / "survey-report.txt").write_text("".join(REPORT))


def _recordings(clips: Path | None) -> None:
    short, long = UPLOAD / "austen-reading.flac", UPLOAD / "two-readings.ogg"
    if clips:
        parts = [load(clip) for clip in sorted(clips.glob("*.wav"))]
        short.write_bytes(encode(_joined(parts), "flac", "flac"))
    from moonshine_voice import get_assets_path  # here: it brings the whole engine, and only this line needs it

    dickens = load(Path(str(get_assets_path())) / "two_cities.wav")
    both = _joined([dickens, silence(PAUSE), load(short)])
    long.write_bytes(encode(both, "ogg", "libopus", rate=48_000, bit_rate=32_000))
    (EXPECTED / "austen-reading.txt").write_text(AUSTEN)
    (EXPECTED / "two-readings.txt").write_text(DICKENS + AUSTEN)


def _joined(parts: list[Samples]) -> Samples:
    between = silence(PAUSE)
    return np.concatenate([samples for part in parts for samples in (part, between)][:-1])


if __name__ == "__main__":
    main()
