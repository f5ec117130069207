"""The site of passwords on Flask and its own server.

    python3 flask_passwords.py [--host 127.0.0.1] [--port 0]

A thread for each request (that is what Flask's server does), and the passwords one after the other
from the kernel's generator. Flask's server is meant for development, and says so; it is here because
the comparison that the example answers used it.
"""

import argparse
import logging
import secrets
import string

import flask
from werkzeug.serving import make_server

CHARACTERS = string.ascii_letters + string.digits + "#@$"
COUNT = 100
LENGTH = 12
# Numbers of 16 bits from here on would make the first characters likelier than the last ones.
LIMIT = 2**16 - 2**16 % len(CHARACTERS)

application = flask.Flask(__name__)
logging.getLogger("werkzeug").disabled = True


def characters():
    while True:
        drawn = secrets.token_bytes(4096)
        for at in range(0, len(drawn), 2):
            number = drawn[at] | drawn[at + 1] << 8
            if number < LIMIT:
                yield CHARACTERS[number % len(CHARACTERS)]


@application.route("/password")
def passwords():
    source = characters()
    made = ["".join(next(source) for _ in range(LENGTH)) for _ in range(COUNT)]
    return flask.Response("[%s]" % " ".join(made), mimetype="text/plain")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    server = make_server(options.host, options.port, application, threaded=True)
    print("listening on %s:%d" % (options.host, server.server_port), flush=True)
    server.serve_forever()


main()
