#!/usr/bin/env python3
"""python3-kafka reads what src/batch builds: python_reads_ours.py WRITE_BATCHES.

Exits 77 (skipped) without python3-kafka. Codecs whose Python module is missing are named and left out.
"""
import subprocess
import sys
import tempfile

# The package of the distribution, also when another interpreter comes first in the path.
sys.path.append('/usr/lib/python3/dist-packages')
try:
    from kafka.codec import has_gzip, has_lz4, has_snappy
    from kafka.record.memory_records import MemoryRecords
except ImportError:
    print('python3-kafka is not there')
    sys.exit(77)

COUNT = 40


def wanted(i):
    key = None if i % 5 == 4 else b'key-%d' % i
    value = None if i % 7 == 6 else b'value number %d of a golden batch' % i
    headers = [('h%d' % i, b'x%d' % i), ('n', None)] if i % 3 == 0 else []
    return (i, 1700000000000 + i * 10, key, value, headers)


def main():
    codecs = {'none': True, 'gzip': has_gzip(), 'snappy': has_snappy(), 'lz4': has_lz4()}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        for codec, there in codecs.items():
            if not there:
                print('%s: no Python module, left out' % codec)
                continue
            with open('%s/ours-%s' % (folder, codec), 'rb') as f:
                batch = MemoryRecords(f.read()).next_batch()
            assert batch.validate_crc(), codec
            got = [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in batch]
            assert got == [wanted(i) for i in range(COUNT)], codec
            print('%s: %d records equal' % (codec, len(got)))


main()
