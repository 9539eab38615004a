#!/usr/bin/env python3
"""The generator: what it refuses, with the line it names; and that its output is reproducible."""
import os
import subprocess
import sys
import tempfile
import unittest

GENERATOR, SCHEMA = sys.argv[1], sys.argv[2]
HEAD = 'api Thing 1\nversions 0-3\nflexible 2+\nhidden\n'
GOOD = HEAD + 'request\n  name string\nresponse\n  error int16\n'


class Generator(unittest.TestCase):
    def run_on(self, text, errors=None, name='thing.txt', more=()):
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, name)
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
            error_path = os.path.join(tmp, 'errors.txt')
            with open(error_path, 'w', encoding='utf-8') as f:
                f.write(errors or '-1 BAD final bad\n0 NONE final good\n')
            for extra in more:
                with open(os.path.join(tmp, extra), 'w', encoding='utf-8') as f:
                    f.write('# not listed\n')
            out = os.path.join(tmp, 'out')
            os.mkdir(out)
            done = subprocess.run([sys.executable, GENERATOR, '--out', out, '--errors', error_path,
                                   path], capture_output=True, text=True, check=False)
            files = {}
            for n in sorted(os.listdir(out)):
                with open(os.path.join(out, n), encoding='utf-8') as f:
                    files[n] = f.read()
            return done, files

    def refused(self, text, line, words, **options):
        done, _ = self.run_on(text, **options)
        self.assertEqual(done.returncode, 1, text)
        self.assertRegex(done.stderr, r'\.txt:%d: ' % line)
        self.assertIn(words, done.stderr)
        self.assertNotIn('Traceback', done.stderr)

    def field_refused(self, field, words):
        self.refused(HEAD + 'request\n  first int32\n  %s\nresponse\n' % field, 7, words)

    def test_good(self):
        done, files = self.run_on(GOOD)
        self.assertEqual(done.stderr, '')
        self.assertEqual(sorted(files), ['error_codes.h', 'error_table.c', 'messages.c', 'messages.h'])
        self.assertIn('struct rw_thing_request {', files['messages.h'])
        self.assertEqual(files, self.run_on(GOOD)[1])

    def test_real_schema_has_a_stable_output(self):
        paths = sorted(os.path.join(folder, n) for folder, _, names in os.walk(SCHEMA)
                       for n in names if n.endswith('.txt') and n != 'errors.txt')
        outputs = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as out:
                subprocess.run([sys.executable, GENERATOR, '--out', out, '--errors',
                                os.path.join(SCHEMA, 'errors.txt')] + paths, check=True)
                with open(os.path.join(out, 'messages.c'), encoding='utf-8') as f:
                    outputs.append(f.read())
        self.assertEqual(outputs[0], outputs[1])

    def test_heads(self):
        self.refused('', 1, 'empty')
        self.refused('thing 1\n', 1, 'expected: api')
        self.refused('api thing 1\n', 1, 'CamelCase')
        self.refused('api Thing x\n', 1, 'not an integer')
        self.refused('api Thing 1\nversions 3+\n', 2, 'last version must be named')
        self.refused('api Thing 1\nversions 0-3\nflexible none\n', 1, "'advertised' is missing")
        self.refused(HEAD + 'request\n', 1, "'response' is missing")
        self.refused(HEAD + 'request\nrequest\n', 6, 'once')
        self.refused(GOOD, 1, 'belongs into a file named thing.txt', name='other.txt')

    def test_fields(self):
        self.field_refused('Name string', 'can not name a field')
        self.field_refused('default string', 'can not name a field')
        self.field_refused('first string', 'already')
        self.field_refused('name', 'needs a type')
        self.field_refused('name text', "no type 'text'")
        self.field_refused('name string 7+', 'do not exist')
        self.field_refused('name string 2-1', 'empty')
        self.field_refused('name string x-y', 'do not understand')
        self.field_refused('name int32 nullable', 'can not be null')
        self.field_refused('name string = null', 'needs nullable')
        self.field_refused('name int8 = 200', 'outside')
        self.field_refused('name bool = 1', 'not a default')
        self.field_refused('name []int32 = 1', 'no default but null')
        self.field_refused('name string tag 0', 'before the first flexible version')
        self.field_refused('name records 2+ tag 0', 'can not be tagged')
        self.field_refused('name string is thing', 'is not one of')
        self.field_refused('name string "', 'quote')
        self.field_refused(' name string', 'multiple of two')
        self.field_refused('\tname string', 'tabs')
        self.field_refused('    name string', 'is not a structure')

    def test_structures(self):
        body = HEAD + 'request\n%sresponse\n'
        self.refused(body % '  a []a\n    x int32\n  b []b\n    a []a\n      y int8\n', 9, 'already')
        self.refused(body % '  struct a\n    x []a\n', 6, 'contains itself')
        self.refused(body % '  struct a\n  x []a\n', 6, 'at least one field')
        self.refused(body % '  x a nullable\n    y int8\n', 6, 'must have the default null')
        self.refused(body % '  x []a\n    y int8 2+\n', 6, 'no bytes')
        self.refused(body % '  x int8 2+ tag 0\n  y int8 2+ tag 0\n', 7, 'used twice')

    def test_errors(self):
        self.refused(GOOD, 1, 'the next code is -1', errors='0 NONE final good\n')
        self.refused(GOOD, 2, 'the next code is 0', errors='-1 BAD final bad\n1 X final y\n')
        self.refused(GOOD, 1, 'expected: CODE', errors='-1 BAD maybe bad\n')
        self.refused(GOOD, 2, 'already', errors='-1 BAD final bad\n0 BAD final bad\n')

    def test_files_that_no_build_rule_names(self):
        self.refused(GOOD, 1, 'not listed', more=['stray.txt'])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
