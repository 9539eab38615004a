#!/usr/bin/env python3
"""Prints the constants of CRC32C as C: the slice-by-8 table and the folding multipliers.

The polynomial is 0x1EDC6F41 (Castagnoli); 0x82F63B78 is its bit reflection.
"""

REFLECTED = 0x82F63B78
POLYNOMIAL = 0x11EDC6F41


def table():
    first = []
    for i in range(256):
        crc = i
        for _ in range(8):
            crc = (crc >> 1) ^ (REFLECTED if crc & 1 else 0)
        first.append(crc)
    rows = [first]
    for _ in range(7):
        rows.append([(v >> 8) ^ first[v & 255] for v in rows[-1]])
    return rows


def power_of_x(n):
    """x^n modulo the polynomial."""
    v = 1
    for _ in range(n):
        v <<= 1
        if v >> 32:
            v ^= POLYNOMIAL
    return v


def reverse64(v):
    return int(format(v, '064b')[::-1], 2)


def fold(bits):
    """Multipliers that move a 128-bit lane `bits` bits ahead: for its first and its second half.

    The product of two reflected 64-bit numbers comes out one bit short, hence the - 1.
    """
    return reverse64(power_of_x(bits + 63)), reverse64(power_of_x(bits - 1))


print('/* Made by crc32c_table.py. */')
print('static const uint32_t crc32c_table[8][256] = {')
for row in table():
    print('    {' + ', '.join('0x%08x' % v for v in row) + '},')
print('};')
for distance in (128, 256, 384, 512, 2048):
    a, b = fold(distance)
    print('#define CRC32C_FOLD_%d_A 0x%016xull' % (distance, a))
    print('#define CRC32C_FOLD_%d_B 0x%016xull' % (distance, b))
