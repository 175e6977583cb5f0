"""What a page's text amounts to in three numbers: its words, a digest of all of it, a digest of what it is like.

All of it works on the bytes of the text with what Python does in C (``translate``, ``split``, ``crc32``), as a loop over
words would cost more than reading the page.
"""

from __future__ import annotations

import string
from bisect import bisect_left
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

# Those of Unicode that pages have: no-break, en, em, thin, hair, narrow no-break, ideographic.
_SPACES = "\xa0\u2002\u2003\u2009\u200a\u202f\u3000"
_ASCII_SPACES = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "
_IS_SPACE = bytes(byte in _ASCII_SPACES for byte in range(256))
# Writing without spaces, by the first bytes of its letters in UTF-8, and how many letters make a word there.
_HAN_AND_KANA = bytes(0x78 if 0xE3 <= byte <= 0xE9 else 0x20 for byte in range(256))
_HAN_LETTERS = 2
_SOUTH_EAST_ASIAN = (
    b"\xe0\xb8",
    b"\xe0\xb9",
    b"\xe0\xba",
    b"\xe0\xbb",
    b"\xe1\x80",
    b"\xe1\x81",
    b"\xe1\x9e",
    b"\xe1\x9f",
)
_SOUTH_EAST_ASIAN_LETTERS = 5  # Thai, Lao, Myanmar, Khmer; their vowel signs count as letters here

NEAR_BYTES = 12_000  # of letters and what stands between them: some 2,000 words
# Where a chunk ends: letters that are neither rare nor frequent in any language (3 to 8 % of Latin text, 3 to 7 % of
# Cyrillic, Greek, Arabic, Hebrew; one in ten or so of Han), chosen as bytes so that one table serves all of them.
_ENDS = b"bgv\x93\xa8\xb1\xb3"
_LETTERS = bytes(0x20 if byte in _ENDS else byte for byte in bytes(range(256)).lower())
_NO_LETTERS = _ASCII_SPACES + (string.digits + string.punctuation).encode()
LEAST_CHUNKS = 8  # some 30 words: of fewer, one that differs says nothing
_BINS = 64
_BOUNDS = [index << 26 for index in range(_BINS)]


class Digests(NamedTuple):
    """``words`` counted, and two 64 bit numbers, signed: ``text`` is equal for equal texts, ``near`` alike for alike.

    Each of them is 0 where there is no text, ``near`` also where there is too little to compare.
    """

    words: int = 0
    text: int = 0
    near: int = 0


def digests(text: str) -> Digests:
    """Return the three numbers of a readable text. White space is nothing but what parts words."""
    if not text.isascii():
        for space in _SPACES:
            text = text.replace(space, " ")
    raw = text.encode("utf-8", "replace")
    letters = raw.translate(None, _ASCII_SPACES)
    if not letters:
        return Digests()
    digest = int.from_bytes(blake2b(letters, digest_size=8).digest(), signed=True)
    return Digests(_words(raw, len(text)), digest, _near(letters))


def distance(one: int, other: int) -> int:
    """Return how many of the 64 bits of two near digests differ.

    Texts that share the fraction J of their chunks are 32 * (1 - J) apart on average, strangers 32. On real pages a
    word, a date or an advertisement changed stays within 4, up to a tenth of the text within 13 or so, and pages of
    different matter are never under 16. A digest of 0 is near to nothing.
    """
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


def _words(raw: bytes, characters: int) -> int:
    spaces = int.from_bytes(b"\1" + raw.translate(_IS_SPACE) + b"\1", "little")  # a byte for each, 0 or 1
    words = (spaces ^ spaces >> 8).bit_count() // 2  # a word is there between two changes
    if len(raw) == characters:
        return words
    words += raw.translate(_HAN_AND_KANA).count(b"x") // _HAN_LETTERS
    if b"\xe0" in raw or b"\xe1" in raw:
        words += sum(map(raw.count, _SOUTH_EAST_ASIAN)) // _SOUTH_EAST_ASIAN_LETTERS
    return words


def _near(letters: bytes) -> int:
    """Return the near digest, 0 where there is too little text: one permutation hashing of the text's chunks.

    Chunks end at letters, not at positions (Manber 1994, "Finding similar files in a large file system"), so an edit
    changes the chunks that it touches and no other. Digits, punctuation and the case of ASCII letters do not count. Of
    the chunks' hashes the least in each 64th of their range is kept (Li, Owen, Zhang 2012, "One permutation hashing"),
    of that one bit (Li, König 2010, "b-bit minwise hashing"); an empty 64th borrows from the next (Shrivastava, Li
    2014). For sets that tells near from far better than simhash does (Shrivastava, Li 2014, "In defense of MinHash over
    SimHash"), and it costs one sort where simhash adds up 64 columns.
    """
    chunks = letters[:NEAR_BYTES].translate(_LETTERS, _NO_LETTERS).split()
    if len(chunks) < LEAST_CHUNKS:
        return 0
    hashes = sorted(map(crc32, chunks))
    count = len(hashes)
    near = 0
    for index, bound in enumerate(_BOUNDS):
        at = bisect_left(hashes, bound)
        least = hashes[at if at < count else 0]
        # Bit `index` of a mixed hash: a minimum that several bins borrow gives each of them a bit of its own.
        mixed = (least * 0x9E37_79B9_7F4A_7C15 ^ 0xD6E8_FEB8_6659_FD93) & 0xFFFF_FFFF_FFFF_FFFF
        mixed = (mixed ^ mixed >> 32) * 0xD6E8_FEB8_6659_FD93
        near |= mixed & 1 << index
    return near - (near >> 63 << 64)
