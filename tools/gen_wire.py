#!/usr/bin/env python3
"""Makes the C side of the wire formats out of the text descriptions in schema/ (see schema/README.md).

Output, all of it build products that are never committed:
  messages.h       a struct per message and per nested structure, with init, read and write functions
  messages.c       the field tables that src/wire/message.c walks, and the API and record type tables
  error_codes.h    enum rw_kerr
  error_table.c    name, retriable flag and words of every error code

Every complaint about a schema is one line "file:line: what is wrong", exit status 1.
"""
import argparse
import os
import re
import sys

INF = 127  # open end of a version range

# type -> (C type, enum rw_type, bytes on the wire before version 'flexible', and after)
PRIMITIVES = {
    'bool': ('bool', 'RW_T_BOOL', 1, 1),
    'int8': ('int8_t', 'RW_T_I8', 1, 1),
    'int16': ('int16_t', 'RW_T_I16', 2, 2),
    'uint16': ('uint16_t', 'RW_T_U16', 2, 2),
    'int32': ('int32_t', 'RW_T_I32', 4, 4),
    'uint32': ('uint32_t', 'RW_T_U32', 4, 4),
    'int64': ('int64_t', 'RW_T_I64', 8, 8),
    'float64': ('double', 'RW_T_F64', 8, 8),
    'uuid': ('struct rw_uuid', 'RW_T_UUID', 16, 16),
    'string': ('struct rw_str', 'RW_T_STRING', 2, 1),
    'bytes': ('struct rw_slice', 'RW_T_BYTES', 4, 1),
    'records': ('struct rw_wire_records', 'RW_T_RECORDS', 4, 1),
}
INTEGERS = {'int8': (-2**7, 2**7 - 1), 'int16': (-2**15, 2**15 - 1), 'uint16': (0, 2**16 - 1),
            'int32': (-2**31, 2**31 - 1), 'uint32': (0, 2**32 - 1), 'int64': (-2**63, 2**63 - 1)}
NULLABLE = {'string', 'bytes', 'records'}
ENTITIES = {'topic_name', 'group_id', 'transactional_id', 'producer_id', 'broker_id'}
C_WORDS = set('''auto bool break case char const continue default do double else enum extern false
    float for goto if inline int long register restrict return short signed sizeof static struct
    switch true typedef union unsigned void volatile while'''.split())
NAME = re.compile(r'[a-z][a-z0-9_]*$')


class SchemaError(Exception):
    pass


def snake(name):
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    return re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', name).lower()


def show(versions):
    first, last = versions
    if last >= INF:
        return '%d+' % first
    return '%d' % first if first == last else '%d-%d' % versions


def cut(a, b):
    """The intersection of two version ranges, None when it is empty."""
    r = (max(a[0], b[0]), min(a[1], b[1]))
    return r if r[0] <= r[1] else None


class Line:
    def __init__(self, path, number, indent, words):
        self.path, self.number, self.indent, self.words = path, number, indent, words

    def fail(self, text):
        raise SchemaError('%s:%d: %s' % (self.path, self.number, text))

    def versions(self, word):
        m = re.fullmatch(r'(\d+)(\+|-(\d+))?', word)
        if not m:
            self.fail("'%s' is not a version range (like 3, 3-7 or 3+)" % word)
        first = int(m[1])
        last = first if not m[2] else INF if m[2] == '+' else int(m[3])
        if first > last or (last > 100 and last != INF):
            self.fail("version range '%s' is empty or beyond 100" % word)
        return first, last

    def integer(self, word, low, high):
        try:
            value = int(word, 0)
        except ValueError:
            self.fail("'%s' is not an integer" % word)
        if not low <= value <= high:
            self.fail('%s is outside %d..%d' % (word, low, high))
        return value


def tokens(path, number, text):
    """Words of one line; a quoted string stays one word; '#' outside quotes starts a comment."""
    words = re.findall(r'"[^"]*"|#.*|[^\s#]+', text)
    if words and words[-1].startswith('#'):
        words.pop()
    for w in words:
        if w.count('"') % 2:
            raise SchemaError('%s:%d: a quote is not closed' % (path, number))
    return words


def read_lines(path):
    lines = []
    with open(path, encoding='utf-8') as f:
        for number, text in enumerate(f, 1):
            if '\t' in text:
                raise SchemaError('%s:%d: indent with two spaces, not tabs' % (path, number))
            words = tokens(path, number, text.rstrip('\n'))
            if not words:
                continue
            spaces = len(text) - len(text.lstrip(' '))
            if spaces % 2:
                raise SchemaError('%s:%d: indentation is not a multiple of two' % (path, number))
            lines.append(Line(path, number, spaces // 2, words))
    return lines


class Field:
    def __init__(self, line):
        self.line = line
        self.name = line.words[0]
        self.array = False
        self.type = None       # name of a primitive, or of a structure
        self.struct = None     # Struct, when it is not a primitive
        self.versions = None
        self.nullable = None
        self.tag = None
        self.default = None    # C expression, or None for zero (for a string: empty)
        self.default_null = False
        self.strict = False

    @property
    def pointer(self):
        return self.struct is not None and not self.array and self.nullable is not None

    def min_size(self, version, flexible):
        if self.array:
            return 1 if flexible else 4
        if self.struct:
            return 1 if self.pointer else self.struct.min_size(version, flexible)
        return PRIMITIVES[self.type][3 if flexible else 2]


class Struct:
    def __init__(self, name, c_name, line, versions):
        self.name, self.c_name, self.line, self.versions = name, c_name, line, versions
        self.fields = []
        self.busy = False

    def min_size(self, version, flexible):
        size = 1 if flexible else 0
        for f in self.fields:
            if f.tag is None and f.versions[0] <= version <= f.versions[1]:
                size += f.min_size(version, flexible)
        return size


class Message:
    """One request, response, record or data structure: a tree of structures."""

    def __init__(self, c_name, line, versions, flexible):
        self.c_name, self.versions, self.flexible = c_name, versions, flexible
        self.structs = {}
        self.top = Struct('', c_name, line, versions)

    def add_struct(self, name, line, versions):
        if name in self.structs:
            line.fail("'%s' is already a structure of this message" % name)
        if name in PRIMITIVES or not NAME.match(name):
            line.fail("'%s' can not name a structure" % name)
        s = self.structs[name] = Struct(name, self.c_name + '_' + name, line, versions)
        return s

    def parse(self, lines):
        pending = []
        at = 0
        while at < len(lines):
            line = lines[at]
            if line.indent != 1:
                line.fail('unexpected indentation')
            if line.words[0] == 'struct':
                if len(line.words) not in (2, 3):
                    line.fail('expected: struct NAME [VERSIONS]')
                versions = self.versions
                if len(line.words) == 3:
                    versions = cut(line.versions(line.words[2]), self.versions)
                    if versions is None:
                        line.fail('these versions do not exist in this message')
                s = self.add_struct(line.words[1], line, versions)
                at = self.parse_fields(lines, at + 1, 2, s, pending)
            else:
                at = self.parse_fields(lines, at, 1, self.top, pending)
        for field, outer in pending:
            if field.type not in self.structs:
                field.line.fail("there is no type '%s' in this message" % field.type)
            field.struct = self.structs[field.type]
        for s in [self.top] + list(self.structs.values()):
            self.check(s)

    def parse_fields(self, lines, at, indent, into, pending):
        while at < len(lines) and lines[at].indent >= indent:
            line = lines[at]
            if line.indent > indent:
                line.fail('unexpected indentation')
            if line.words[0] == 'struct' and indent == 1:
                break
            field = self.parse_field(line, into)
            at += 1
            has_body = at < len(lines) and lines[at].indent > indent
            if field.type not in PRIMITIVES:
                pending.append((field, into))
                if has_body:
                    s = self.add_struct(field.type, line, field.versions)
                    at = self.parse_fields(lines, at, indent + 1, s, pending)
            elif has_body:
                lines[at].fail("'%s' is not a structure: it has no fields" % field.name)
        if not into.fields and into is not self.top:
            into.line.fail('a structure needs at least one field')
        return at

    def parse_field(self, line, into):
        f = Field(line)
        if not NAME.match(f.name) or f.name in C_WORDS:
            line.fail("'%s' can not name a field (snake_case, not a C keyword)" % f.name)
        if any(o.name == f.name or (o.array and 'n_' + o.name == f.name) for o in into.fields):
            line.fail("there is a field '%s' already" % f.name)
        if len(line.words) < 2:
            line.fail('a field needs a type')
        f.type = line.words[1]
        if f.type.startswith('[]'):
            f.array, f.type = True, f.type[2:]
        words = line.words[2:]
        f.versions = into.versions
        if words and words[0][0].isdigit():
            f.versions = cut(line.versions(words.pop(0)), into.versions)
            if f.versions is None:
                line.fail("these versions do not exist where '%s' is" % f.name)
        while words:
            self.parse_attribute(f, words.pop(0), words)
        single_struct = not f.array and f.type not in PRIMITIVES
        if single_struct and f.nullable is not None and not f.default_null:
            line.fail('a nullable structure must have the default null')
        if f.array and f.default is not None:
            line.fail('an array has no default but null')
        if f.tag is not None and f.type == 'records':
            line.fail('records can not be tagged: they may travel outside the buffer')
        into.fields.append(f)
        return f

    def parse_attribute(self, f, word, words):
        line = f.line
        if word == 'nullable':
            if not f.array and f.type in PRIMITIVES and f.type not in NULLABLE:
                line.fail("a %s can not be null" % f.type)
            f.nullable = f.versions
            if words and words[0][0].isdigit():
                f.nullable = cut(line.versions(words.pop(0)), f.versions)
                if f.nullable is None:
                    line.fail('these versions do not exist for this field')
        elif word == 'tag' and words:
            f.tag = line.integer(words.pop(0), 0, 10000)
            if f.versions[0] < self.flexible:
                line.fail('a tagged field before the first flexible version')
        elif word == '=' and words:
            self.parse_default(f, words.pop(0))
        elif word == 'strict':
            f.strict = True
        elif word == 'is' and words:
            entity = words.pop(0)
            if entity not in ENTITIES:
                line.fail("'%s' is not one of %s" % (entity, ', '.join(sorted(ENTITIES))))
        else:
            line.fail("do not understand '%s'" % ' '.join([word] + words))

    def parse_default(self, f, word):
        line = f.line
        if word == 'null':
            if f.nullable is None:
                line.fail('the default null needs nullable before it')
            f.default_null = True
        elif f.type in INTEGERS:
            value = line.integer(word, *INTEGERS[f.type])
            f.default = 'INT64_MIN' if value == -2**63 else 'INT64_C(%d)' % value
        elif f.type == 'bool' and word in ('true', 'false'):
            f.default = word
        elif f.type == 'float64' and re.fullmatch(r'-?\d+(\.\d+)?', word):
            f.default = '%r' % float(word)
        elif f.type == 'string' and word.startswith('"'):
            f.default = word
        else:
            line.fail("'%s' is not a default for %s" % (word, f.type))

    def check(self, s):
        if s.busy:
            s.line.fail('the structure contains itself')
        s.busy = True
        tags = set()
        for f in s.fields:
            if f.tag is not None:
                if f.tag in tags:
                    f.line.fail('tag %d is used twice' % f.tag)
                tags.add(f.tag)
            if f.struct:
                self.check(f.struct)
        s.busy = False

    def element_size(self, f):
        """Fewest bytes one element takes in any version: what a count is checked against."""
        sizes = []
        for v in range(f.versions[0], min(f.versions[1], self.versions[1]) + 1):
            flexible = v >= self.flexible
            sizes.append(f.struct.min_size(v, flexible) if f.struct
                         else PRIMITIVES[f.type][3 if flexible else 2])
        if min(sizes) == 0:
            f.line.fail('an element of this array may take no bytes at all')
        return min(sizes)

    def ordered(self):
        """Structures, each after those it contains."""
        out = []

        def visit(s):
            for f in s.fields:
                if f.struct:
                    visit(f.struct)
            if s not in out:
                out.append(s)
        visit(self.top)
        return out


class File:
    """One schema file: an api, a record or data."""

    def __init__(self, path):
        self.path = path
        lines = read_lines(path)
        if not lines:
            raise SchemaError('%s:1: the file is empty' % path)
        self.head = head = lines[0]
        self.kind = head.words[0]
        want = {'api': 3, 'record': 3, 'data': 2}.get(self.kind)
        if head.indent or want != len(head.words):
            head.fail('expected: api NAME KEY, record NAME TYPE, or data NAME')
        self.name = head.words[1]
        if not re.fullmatch(r'[A-Z][A-Za-z0-9]*', self.name):
            head.fail("'%s' is not a CamelCase name" % self.name)
        self.key = head.integer(head.words[2], 0, 32767) if want == 3 else None
        self.versions = self.flexible = None
        self.advertised = None
        self.messages = {}
        at = self.parse_settings(lines)
        self.parse_messages(lines, at)

    def parse_settings(self, lines):
        at = 1
        while at < len(lines) and not lines[at].indent:
            line = lines[at]
            word, rest = line.words[0], line.words[1:]
            if word == 'versions' and len(rest) == 1:
                self.versions = line.versions(rest[0])
                if self.versions[1] == INF:
                    line.fail('the last version must be named')
            elif word == 'flexible' and len(rest) == 1:
                self.flexible = INF if rest[0] == 'none' else line.versions(rest[0])[0]
            elif word == 'advertised' and self.kind == 'api' and len(rest) == 1:
                self.advertised = line.versions(rest[0])
            elif word == 'hidden' and self.kind == 'api' and not rest:
                self.advertised = (-1, -1)
            else:
                break
            at += 1
        for what in ('versions', 'flexible') + (('advertised',) if self.kind == 'api' else ()):
            if getattr(self, what) is None:
                self.head.fail("'%s' is missing" % what)
        return at

    def parse_messages(self, lines, at):
        names = ('request', 'response') if self.kind == 'api' else ('fields',)
        while at < len(lines):
            line = lines[at]
            word = line.words[0]
            if line.indent or len(line.words) != 1 or word not in names or word in self.messages:
                line.fail('expected %s, once' % ' or '.join(names))
            end = at + 1
            while end < len(lines) and lines[end].indent:
                end += 1
            c_name = 'rw_' + snake(self.name) + ('_' + word if self.kind == 'api' else '')
            m = Message(c_name, line, self.versions, self.flexible)
            m.parse(lines[at + 1:end])
            self.messages[word] = m
            at = end
        for word in names:
            if word not in self.messages:
                self.head.fail("'%s' is missing" % word)


def member(f):
    base = 'struct ' + f.struct.c_name if f.struct else PRIMITIVES[f.type][0]
    if f.array:
        return '    int32_t n_%s;\n    %s *%s;' % (f.name, base, f.name)
    return '    %s %s%s;' % (base, '*' if f.pointer else '', f.name)


def remark(f, message):
    notes = []
    if f.versions != message.versions:
        notes.append(show((f.versions[0], INF if f.versions[1] == message.versions[1]
                           else f.versions[1])))
    if f.tag is not None:
        notes.append('tag %d' % f.tag)
    if f.nullable:
        notes.append('nullable')
    if f.default_null:
        notes.append('default null')
    elif f.default:
        notes.append('default ' + re.sub(r'INT64_C\((.*)\)', r'\1', f.default))
    return ' /* %s */' % ', '.join(notes) if notes else ''


FUNCTIONS = '''
extern const struct rw_desc {0}_desc;
static inline void {0}_init(struct {0} *m)
{{
    rw_message_init(&{0}_desc, m);
}}
'''
TOP_FUNCTIONS = '''RW_MUST static inline int {0}_read(struct rw_reader *r, int16_t version, struct {0} *ret)
{{
    return rw_message_read(&{0}_desc, r, version, ret);
}}
static inline void {0}_write(struct rw_writer *w, int16_t version, const struct {0} *m)
{{
    rw_message_write(&{0}_desc, w, version, m);
}}
'''


def header_of(message):
    out = []
    for s in message.ordered():
        out.append('struct %s {' % s.c_name)
        for f in s.fields:
            out.append(member(f) + remark(f, message))
        if not s.fields:
            out.append('    char unused; /* the message has no fields */')
        out.append('};' + FUNCTIONS.format(s.c_name).rstrip('\n'))
        if s is message.top:
            out.append(TOP_FUNCTIONS.format(s.c_name).rstrip('\n'))
        out.append('')
    return '\n'.join(out)


def field_row(s, f, message):
    flags = [name for on, name in ((f.array, 'RW_F_ARRAY'), (f.pointer, 'RW_F_POINTER'),
                                   (f.strict, 'RW_F_STRICT'), (f.default_null, 'RW_F_NULL')) if on]
    parts = ['"%s"' % f.name]
    parts.append('.type = ' + ('RW_T_STRUCT' if f.struct else PRIMITIVES[f.type][1]))
    if flags:
        parts.append('.flags = ' + ' | '.join(flags))
    parts.append('.first = %d, .last = %d' % f.versions)
    null = f.nullable or (1, 0)
    parts.append('.null_first = %d, .null_last = %d' % null)
    parts.append('.offset = offsetof(struct %s, %s)' % (s.c_name, f.name))
    if f.array:
        parts.append('.count = offsetof(struct %s, n_%s)' % (s.c_name, f.name))
        parts.append('.min_size = %d' % message.element_size(f))
    if f.tag is not None:
        parts.append('.tag = %d' % f.tag)
    if f.struct:
        parts.append('.sub = &%s_desc' % f.struct.c_name)
    return '    {' + ', '.join(parts) + '},'


def blank(s):
    """The C initialiser of a structure whose fields have their defaults."""
    parts = []
    for f in s.fields:
        value = None
        if f.array:
            parts += ['.n_%s = -1' % f.name] if f.default_null else []
        elif f.pointer:
            pass
        elif f.struct:
            value = blank(f.struct)
        elif f.default_null:
            value = '{NULL, -1}' if f.type == 'string' else None
        elif f.type == 'string':
            text = f.default or '""'
            value = '{%s, sizeof(%s) - 1}' % (text, text)
        elif f.type in ('bytes', 'records'):
            value = '{.p = (const uint8_t *)""}'
        else:
            value = f.default
        parts += ['.%s = %s' % (f.name, value)] if value not in (None, '{0}') else []
    return '{%s}' % (', '.join(parts) or '0')


def source_of(message):
    out = []
    for s in message.ordered():
        ordinary = [f for f in s.fields if f.tag is None]
        tagged = sorted((f for f in s.fields if f.tag is not None), key=lambda f: f.tag)
        rows = 'no_fields'
        if s.fields:
            rows = s.c_name[3:] + '_fields'
            out.append('static const struct rw_field %s[] = {' % rows)
            out += [field_row(s, f, message) for f in ordinary + tagged]
            out.append('};')
        out.append('static const struct %s %s_blank = %s;' % (s.c_name, s.c_name[3:], blank(s)))
        out.append('const struct rw_desc %s_desc = {"%s", %s, &%s_blank, %d, %d, sizeof(struct %s), '
                   '%d, %d, %d};'
                   % (s.c_name, s.c_name[3:], rows, s.c_name[3:], len(ordinary), len(tagged),
                      s.c_name, message.versions[0], message.versions[1], message.flexible))
        out.append('')
    return '\n'.join(out)


WRAPPERS = '''static void init_{1}(void *m)
{{
    {0}_init(m);
}}
static int read_{1}(struct rw_reader *r, int16_t version, void *ret)
{{
    return {0}_read(r, version, ret);
}}
static void write_{1}(struct rw_writer *w, int16_t version, const void *m)
{{
    {0}_write(w, version, m);
}}
'''


def api_row(f):
    q, p = f.messages['request'].c_name, f.messages['response'].c_name
    functions = ('init_{0}, init_{1}, read_{0}, write_{0}, read_{1}, write_{1}'
                 .format(q[3:], p[3:]))
    flexible = 'INT16_MAX' if f.flexible == INF else str(f.flexible)
    return ('    {%d, "%s", %d, %d, %s, %d, %d, sizeof(struct %s), sizeof(struct %s),\n'
            '     %s, &%s_desc, &%s_desc},'
            % (f.key, f.name, f.versions[0], f.versions[1], flexible, f.advertised[0],
               f.advertised[1], q, p, functions, q, p))


BANNER = '/* Generated by tools/gen_wire.py from schema/. Do not edit. */\n'


def write_messages(out_dir, files):
    apis = sorted((f for f in files if f.kind == 'api'), key=lambda f: f.key)
    records = sorted((f for f in files if f.kind == 'record'), key=lambda f: f.key)
    h = [BANNER, '#pragma once\n', '#include "wire/message.h"\n', 'enum rw_api_key {']
    h += ['    RW_API_%s = %d,' % (snake(f.name).upper(), f.key) for f in apis]
    h += ['};\n', '/* Types of metadata records. */', 'enum rw_record_type_id {']
    h += ['    RW_%s = %d,' % (snake(f.name).upper(), f.key) for f in records]
    h += ['};\n']
    c = [BANNER, '#include "wire/messages.h"\n', '#include <stddef.h>',
         '#include "wire/tables.h"\n',
         '/* For messages without fields: pointer arithmetic on NULL would be undefined. */',
         'static const struct rw_field no_fields[1];\n']
    for f in files:
        for m in f.messages.values():
            h.append(header_of(m))
            c.append(source_of(m))
    for f in apis:
        for m in f.messages.values():
            c.append(WRAPPERS.format(m.c_name, m.c_name[3:]))
    c.append('const struct rw_api rw_api_rows[] = {')
    c += [api_row(f) for f in apis]
    c += ['};', 'const size_t rw_api_rows_count = sizeof(rw_api_rows) / sizeof(rw_api_rows[0]);\n',
          'const int16_t rw_api_last_key = %d;' % apis[-1].key,
          'const uint8_t rw_api_row_of[] = {']
    c += ['    [%d] = %d,' % (f.key, row) for row, f in enumerate(apis, 1)]
    c += ['};\n',
          'const struct rw_record_type rw_record_rows[] = {']
    c += ['    {%d, "%s", %d, %d, sizeof(struct %s), &%s_desc},'
          % (f.key, f.name, f.versions[0], f.versions[1], f.messages['fields'].c_name,
             f.messages['fields'].c_name) for f in records]
    c += ['};', 'const size_t rw_record_rows_count = '
          'sizeof(rw_record_rows) / sizeof(rw_record_rows[0]);\n',
          'const struct rw_desc *const rw_message_rows[] = {']
    c += ['    &%s_desc,' % m.c_name for f in files for m in f.messages.values()]
    c += ['};', 'const size_t rw_message_rows_count = '
          'sizeof(rw_message_rows) / sizeof(rw_message_rows[0]);']
    save(os.path.join(out_dir, 'messages.h'), '\n'.join(h))
    save(os.path.join(out_dir, 'messages.c'), '\n'.join(c))


def read_errors(path):
    rows = []
    with open(path, encoding='utf-8') as f:
        for number, text in enumerate(f, 1):
            text = text.rstrip('\n')
            if not text.strip() or text.startswith('#'):
                continue
            m = re.fullmatch(r'(-?\d+)\s+([A-Z][A-Z0-9_]*)\s+(retry|final)\s+(\S.*)', text)
            if not m or '"' in text or '\\' in text:
                raise SchemaError('%s:%d: expected: CODE NAME retry|final WORDS' % (path, number))
            want = rows[-1][0] + 1 if rows else -1
            if int(m[1]) != want:
                raise SchemaError('%s:%d: the next code is %d' % (path, number, want))
            if any(m[2] == r[1] for r in rows):
                raise SchemaError('%s:%d: %s is there already' % (path, number, m[2]))
            rows.append((int(m[1]), m[2], m[3] == 'retry', m[4]))
    return rows


def write_errors(out_dir, rows):
    h = [BANNER, '#pragma once\n', 'enum rw_kerr {']
    h += ['    RW_KERR_%s = %d,' % (name, code) for code, name, _, _ in rows]
    h += ['};', '', '#define RW_KERR_FIRST (%d)' % rows[0][0], '#define RW_KERR_LAST  %d' % rows[-1][0]]
    c = [BANNER, '#include "wire/tables.h"\n', '/* [code - RW_KERR_FIRST] */',
         'const struct rw_kerr_row rw_kerr_rows[] = {']
    c += ['    {"%s", "%s", %s},' % (name, words, 'true' if retry else 'false')
          for _, name, retry, words in rows]
    c += ['};']
    save(os.path.join(out_dir, 'error_codes.h'), '\n'.join(h))
    save(os.path.join(out_dir, 'error_table.c'), '\n'.join(c))


def save(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text.rstrip('\n') + '\n')


def check_together(files):
    seen = {}
    for f in files:
        if os.path.basename(f.path) != snake(f.name) + '.txt':
            f.head.fail('%s belongs into a file named %s.txt' % (f.name, snake(f.name)))
        keys = [('name', m.c_name) for m in f.messages.values()]
        if f.key is not None:
            keys.append((f.kind, f.key))
        for key in keys:
            if key in seen:
                f.head.fail('%s %s is taken by %s' % (key[0], key[1], seen[key]))
            seen[key] = f.path


def check_listed(paths):
    """A schema file that no build rule names would be ignored in silence: refuse that."""
    given = {os.path.realpath(p) for p in paths}
    for folder in sorted({os.path.dirname(p) for p in given}):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith('.txt') and path not in given:
                raise SchemaError('%s:1: the file is not listed in the build' % path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', required=True, help='folder for the generated files')
    parser.add_argument('--errors', required=True, help='the list of error codes')
    parser.add_argument('schema', nargs='+', help='schema files')
    args = parser.parse_args()
    try:
        check_listed(args.schema + [args.errors])
        files = [File(p) for p in args.schema]
        check_together(files)
        rows = read_errors(args.errors)
        write_messages(args.out, files)
        write_errors(args.out, rows)
    except SchemaError as e:
        print(e, file=sys.stderr)
        return 1
    except OSError as e:
        print('%s: %s' % (e.filename, e.strerror), file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
