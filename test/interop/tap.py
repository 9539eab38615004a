"""TAP for the Python suites: @test("name") registers a function, main() runs them in order."""
import sys
import traceback

_tests = []


class Skip(Exception):
    """Raised by a test that can not run here; its text says why."""


def test(name, *args):
    def register(function):
        _tests.append((name, function, args))
        return function
    return register


def same(wanted, got, what=""):
    if wanted != got:
        raise AssertionError("%swanted %.300r, got %.300r" % (what and what + ": ", wanted, got))


def main():
    failed = 0
    for number, (name, function, args) in enumerate(_tests, 1):
        try:
            function(*args)
            print("ok %d - %s" % (number, name))
        except Skip as e:
            print("ok %d - %s # SKIP %s" % (number, name, e))
        except Exception:  # pylint: disable=broad-except # whatever it is, it is this test's failure
            failed += 1
            print("not ok %d - %s" % (number, name))
            for line in traceback.format_exc().splitlines()[-8:]:
                print("# " + line[:300])
        sys.stdout.flush()
    print("1..%d" % len(_tests))
    sys.exit(1 if failed else 0)
