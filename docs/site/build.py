"""Build the site into ``build/docs``, with every warning as an error; ``--serve`` shows it to a browser.

Nothing is loaded from elsewhere, neither when it is built nor when it is read.
"""

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sphinx.cmd.build import build_main

DOCS = Path(__file__).resolve().parents[1]


def main() -> int:
    """Build, and serve if asked to; return Sphinx's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=DOCS.parent / 'build' / 'docs', help='default: %(default)s')
    parser.add_argument('--serve', type=int, nargs='?', const=8000, metavar='PORT', help='default port: 8000')
    args = parser.parse_args()
    code = build_main(['-q', '-W', '--keep-going', '-d', str(args.out.with_name('doctrees')), str(DOCS), str(args.out)])
    if code == 0:
        print(f'built: {args.out / "index.html"}', flush=True)
    if code or args.serve is None:
        return code
    print(f'http://localhost:{args.serve} (Ctrl-C ends)', flush=True)
    try:
        handler = partial(SimpleHTTPRequestHandler, directory=str(args.out))
        ThreadingHTTPServer(('localhost', args.serve), handler).serve_forever()
    except KeyboardInterrupt:
        return 0


if __name__ == '__main__':
    sys.exit(main())
