"""Appends a record to a log and reads it back, through ctypes: log_append_read.py LIBRARY DIR"""
import ctypes
import sys


class Record(ctypes.Structure):
    """struct rollway_record of rollway/log.h"""
    _fields_ = [("offset", ctypes.c_int64), ("timestamp_ms", ctypes.c_int64),
                ("key", ctypes.c_char_p), ("key_size", ctypes.c_size_t),
                ("value", ctypes.c_void_p), ("value_size", ctypes.c_size_t),
                ("headers", ctypes.c_void_p), ("headers_count", ctypes.c_size_t)]


def main(library, directory):
    """One record in, all records out."""
    lib = ctypes.CDLL(library)
    lib.rollway_strerror.restype = ctypes.c_char_p
    lib.rollway_log_start_offset.restype = ctypes.c_int64
    log, cursor, offset, record = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int64(), Record()

    def check(code):
        if code < 0:
            sys.exit(lib.rollway_strerror(code).decode())
        return code

    check(lib.rollway_log_open(directory.encode(), None, ctypes.byref(log)))
    text = ctypes.create_string_buffer("hello from Python".encode())
    record.value, record.value_size = ctypes.addressof(text), len(text) - 1
    check(lib.rollway_log_append(log, ctypes.byref(record), ctypes.c_size_t(1),
                                 ctypes.byref(offset)))
    start = ctypes.c_int64(lib.rollway_log_start_offset(log))
    check(lib.rollway_cursor_new(log, start, ctypes.byref(cursor)))
    while check(lib.rollway_cursor_next(cursor, ctypes.byref(record))) == 1:
        print(record.offset, ctypes.string_at(record.value, record.value_size).decode(), sep="\t")
    lib.rollway_cursor_free(cursor)
    check(lib.rollway_log_close(log))


if __name__ == "__main__":
    main(*sys.argv[1:])
