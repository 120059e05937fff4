#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""spaces_bench.py UPLOAD_TOOL: an upload to OpenStack Swift beside `aws s3 cp`, in pairs. Bound: 1.0 of
its time."""

import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "publish"))
import pairs
import swift_server

BOUND = 1.0
SIZE = 200 << 20
BUCKET = "bench"


def main():
    tool = sys.argv[1]
    if reason := swift_server.missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        file = folder / "disk.qcow2.gz"
        file.write_bytes(os.urandom(SIZE))
        swift = swift_server.Swift(folder / "swift")
        endpoint = f"http://{swift.host}"
        env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_ACCESS_KEY_ID": swift_server.ACCESS, "AWS_DEFAULT_REGION": swift_server.REGION,
               "AWS_SECRET_ACCESS_KEY": swift_server.SECRET}

        def aws(*words):
            return pairs.run(["/usr/bin/aws", "--endpoint-url", endpoint, "s3", *words], env=env,
                             stdout=subprocess.DEVNULL)

        def ours(number):
            return pairs.run([tool, "s3", file, endpoint, BUCKET, swift_server.REGION, f"kiln-{number}",
                              "4"], env=env)

        def theirs(number):
            return aws("cp", "--only-show-errors", file, f"s3://{BUCKET}/aws-{number}")
        try:
            url = subprocess.run([tool, "s3-bucket", endpoint, BUCKET, swift_server.REGION], env=env,
                                 check=True, capture_output=True, text=True).stdout.strip()
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"))
            print(f"upload of {SIZE / 1e6:.0f} MB to Swift, kiln to aws s3 cp:")
            seconds, processors = pairs.compare(ours, theirs)
            copy = folder / "copy"
            aws("cp", "--only-show-errors", f"s3://{BUCKET}/kiln-0", copy)
            subprocess.run(["cmp", file, copy], check=True)
        finally:
            swift.stop()
        print(f"time {seconds:.2f} (bound {BOUND}), processors {processors:.2f}")
        if seconds > BOUND:
            sys.exit("too slow")


main()
