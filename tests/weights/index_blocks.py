"""Blocks of the index of a checkpoint, changed so that their check sums are right."""

import struct

from keras_deeplab.weights import checkpoint_index


def blocks(index: bytes) -> list[tuple[int, int]]:
    """Where the blocks of a whole index are."""
    _, position = checkpoint_index._handle(index[-48:], 0)
    top, _ = checkpoint_index._handle(index[-48:], position)
    entries = checkpoint_index._entries(checkpoint_index._block(index, top))
    return [top, *(checkpoint_index._handle(value, 0)[0] for _, value in entries)]


def with_block(index: bytes, offset: int, block: bytes) -> bytes:
    """An index with another block of the same length there, and its check sum."""
    end = offset + len(block)
    # The number of the compression is part of what is summed.
    summed = block + index[end : end + 1]
    summed += _masked_crc(summed)
    return index[:offset] + summed + index[offset + len(summed) :]


def _masked_crc(data: bytes) -> bytes:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)
