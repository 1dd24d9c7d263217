#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An S3 store of the tests: OpenStack Swift with s3api, from Debian's packages.

usage: swift_store.py DIR CERTIFICATE KEY

Account, container, object and proxy server in one process, on loopback, with one device and one
copy, all below DIR. The access key is test:tester, its secret testing; signatures are checked. When
it can be used it writes two ports to DIR/ports: of http and of https. Ends by SIGTERM.
"""
import functools
import os
import sys

import eventlet

eventlet.monkey_patch(thread=False)

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.http_protocol import SwiftHttpProtocol  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

PROXY = """
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
allow_no_owner = true
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
STORE = "[pipeline:main]\npipeline = {0}-server\n[app:{0}-server]\nuse = egg:swift#{0}\n"
KINDS = ("account", "container", "object")


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def make_ring(base, kind, port):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "sd1",
                     "weight": 1.0, "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(os.path.join(base, kind + ".ring.gz"))


def main():
    base = os.path.abspath(sys.argv[1])
    os.makedirs(os.path.join(base, "srv", "sd1"), exist_ok=True)
    write(os.path.join(base, "swift.conf"),
          "[swift-hash]\nswift_hash_path_prefix = p\nswift_hash_path_suffix = s\n"
          "[storage-policy:0]\nname = one\ndefault = yes\n")
    listeners = {k: eventlet.listen(("127.0.0.1", 0)) for k in KINDS + ("proxy",)}
    for kind in KINDS:
        make_ring(base, kind, listeners[kind].getsockname()[1])
    utils.set_swift_dir(base)
    from swift.common.wsgi import loadapp  # after the directory is set: it loads the policies
    common = ("[DEFAULT]\nswift_dir = {0}\ndevices = {0}/srv\nmount_check = false\n"
              "log_level = ERROR\nfallocate_reserve = 0\ndisable_fallocate = true\n").format(base)
    serve = functools.partial(eventlet.spawn, wsgi.server, log=utils.NullLogger(),
                              protocol=SwiftHttpProtocol, capitalize_response_headers=False)
    for kind, listener in listeners.items():
        path = os.path.join(base, kind + ".conf")
        write(path, common + (PROXY if kind == "proxy" else STORE.format(kind)))
        app = loadapp(path, global_conf={"log_name": kind})
        serve(listener, app)
    secure = eventlet.listen(("127.0.0.1", 0))
    ports = "%d %d\n" % (listeners["proxy"].getsockname()[1], secure.getsockname()[1])
    serve(eventlet.wrap_ssl(secure, certfile=sys.argv[2], keyfile=sys.argv[3], server_side=True),
          app)  # the last one: the proxy
    write(os.path.join(base, "ports.part"), ports)
    os.rename(os.path.join(base, "ports.part"), os.path.join(base, "ports"))
    eventlet.Event().wait()


main()
