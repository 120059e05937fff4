# SPDX-License-Identifier: MIT
"""DigitalOcean's API, as far as images need it, on loopback: stateful, with a clock of its own that
every look at an image or an action advances, and with faults by script. What it answers is judged by
DigitalOcean's own specification in digitalocean_spec_test.py."""

import datetime
import http.server
import json
import re
import socket
import struct
import threading
import time
import urllib.parse

TOKEN = "dop_v1_planted-in-the-test"
START = 1_800_000_000
SIZES = ["s-1vcpu-1gb"]
FEATURES = ["image_transfer", "metadata", "storage"]

# What a request can meet instead of its answer; the last two had their effect.
FAULTS = ("429", "500", "504", "reset", "timeout", "lost", "lost-504")


class Cloud:
    """The account. Times are seconds."""

    def __init__(self, import_time=60, transfer_time=120, step=60):
        self.now = 0.0
        self.step = step              # that a look takes
        self.import_time = import_time
        self.transfer_time = transfer_time
        self.error_message = ""       # with which imports end
        self.broken_regions = set()   # to which transfers fail
        self.regions = {name: True for name in ("nyc3", "ams3", "sgp1", "fra1")}
        self.files = {}               # by path: contents, for --url
        self.images = {}
        self.actions = {}
        self.next_id = 10_000_001
        self.requests = []            # (method, path) of all
        self.faults = []              # (pattern, fault), each for one request
        self.lock = threading.RLock()

    def fail_once(self, pattern, fault):
        self.faults.append((re.compile(pattern), fault))

    def fault_of(self, line):
        for each in self.faults:
            if each[0].search(line):
                self.faults.remove(each)
                return each[1]
        return None

    def new_id(self):
        self.next_id += 1
        return self.next_id

    def stamp(self, at):
        return datetime.datetime.fromtimestamp(START + at, datetime.timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ")

    def status_of(self, image):
        age = self.now - image["at"]
        if image["deleted"] or (self.error_message and age >= self.import_time):
            return "deleted"
        return "available" if age >= self.import_time else "pending" if age > 0 else "NEW"

    def regions_of(self, image):
        if self.status_of(image) != "available":
            return []
        return [image["region"]] + [
            action["region"] for action in self.actions.values()
            if action["image"] == image["id"] and self.action_status(action) == "completed"]

    def action_status(self, action):
        if self.now - action["at"] < self.transfer_time:
            return "in-progress"
        return "errored" if action["broken"] else "completed"

    def show_image(self, image):
        failed = self.status_of(image) == "deleted" and self.error_message
        return {
            "id": image["id"], "name": image["name"], "type": image["type"],
            "distribution": image["distribution"], "slug": None, "public": False,
            "regions": self.regions_of(image), "created_at": self.stamp(image["at"]),
            "min_disk_size": 4, "size_gigabytes": 1.5, "description": image["description"],
            "tags": image["tags"], "status": self.status_of(image),
            "error_message": self.error_message if failed else " "}

    def show_action(self, action):
        status = self.action_status(action)
        done = None if status == "in-progress" else self.stamp(action["at"] + self.transfer_time)
        return {
            "id": action["id"], "status": status, "type": "transfer",
            "started_at": self.stamp(action["at"]), "completed_at": done,
            "resource_id": action["image"], "resource_type": "image",
            "region": self.show_region(action["region"]), "region_slug": action["region"]}

    def show_region(self, slug):
        return {"name": slug.upper(), "slug": slug, "sizes": SIZES, "features": FEATURES,
                "available": self.regions.get(slug, False)}

    def living(self):
        return [image for image in self.images.values()
                if not image["deleted"] and self.status_of(image) != "deleted"]

    def add_image(self, name, region="nyc3", tags=(), kind="custom", age=3600, **more):
        """An image that somebody made before."""
        image = {"id": self.new_id(), "name": name, "region": region, "tags": list(tags),
                 "distribution": "Debian", "description": "", "url": "", "type": kind,
                 "at": self.now - age, "deleted": False, **more}
        self.images[image["id"]] = image
        return image


class Handler(http.server.BaseHTTPRequestHandler):
    """The server is in `cloud`'s thread-safe hands: one request at a time."""

    protocol_version = "HTTP/1.1"
    cloud = None
    pages = 2  # items a page, so that lists have several; at most what is asked for

    def answer(self, status, body=None, headers=(), page=None):
        data = page if page is not None else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        kind = "text/html" if page is not None else "application/json"
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("ratelimit-limit", "5000")
        self.send_header("ratelimit-remaining", "4990")
        self.send_header("ratelimit-reset", str(START))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status, word, message):
        self.answer(status, {"id": word, "message": message, "request_id": "0000"})

    def reset(self):
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urllib.parse.urlparse(self.path)
        with self.cloud.lock:
            self.cloud.requests.append((self.command, self.path))
            fault = self.cloud.fault_of(f"{self.command} {url.path}")
        if fault == "429":
            return self.answer(429, {"id": "too_many_requests", "message": "API rate limit exceeded."},
                               [("retry-after", "1")])
        if fault == "500":
            return self.refuse(500, "server_error", "Unexpected server-side error")
        if fault == "504":
            return self.answer(504, page=b"<html><h1>504 Gateway Time-out</h1></html>")
        if fault == "reset":
            return self.reset()
        if fault == "timeout":
            time.sleep(70)
            return self.reset()
        if fault and fault.startswith("lost"):
            self.answer_for_nobody(url, body)
            return (self.answer(504, page=b"<html>504</html>") if fault == "lost-504"
                    else self.reset())
        with self.cloud.lock:
            self.route(url, body)
        return None

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def answer_for_nobody(self, url, body):
        real, self.answer = self.answer, lambda *_, **__: None
        try:
            with self.cloud.lock:
                self.route(url, body)
        finally:
            self.answer = real

    def route(self, url, body):
        if url.path in self.cloud.files and self.command in ("GET", "HEAD"):
            return self.answer(200, page=self.cloud.files[url.path])
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.refuse(401, "unauthorized", "Unable to authenticate you.")
        words = url.path.strip("/").split("/")
        query = dict(urllib.parse.parse_qsl(url.query))
        if words[:2] == ["v2", "regions"] and self.command == "GET":
            return self.list_page(url, query, "regions",
                                  [self.cloud.show_region(each) for each in self.cloud.regions])
        if words == ["v2", "spaces", "keys"] and self.command == "GET":
            return self.list_page(url, query, "keys", [])
        if words[:2] == ["v2", "images"]:
            return self.images(url, words[2:], query, body)
        return self.refuse(404, "not_found", "The resource you requested could not be found.")

    def list_page(self, url, query, member, items):
        size = min(int(query.get("per_page", 20)), self.pages)
        page = int(query.get("page", 1))
        host = self.headers["Host"]
        last = max(1, -(-len(items) // size))
        links = {}
        if page < last:
            more = urllib.parse.urlencode({**query, "page": page + 1})
            links = {"pages": {"next": f"http://{host}{url.path}?{more}",
                               "last": f"http://{host}{url.path}?{more}"}}
        self.answer(200, {member: items[(page - 1) * size:page * size], "links": links,
                          "meta": {"total": len(items)}})

    def images(self, url, words, query, body):
        cloud = self.cloud
        if not words:
            if self.command == "POST":
                return self.create(json.loads(body))
            images = [cloud.show_image(each) for each in cloud.images.values()
                      if not each["deleted"]
                      and ("tag_name" not in query or query["tag_name"] in each["tags"])]
            return self.list_page(url, query, "images", images)
        image = cloud.images.get(int(words[0]))
        if image is None:
            return self.refuse(404, "not_found", "The resource you requested could not be found.")
        if words[1:] == ["actions"] and self.command == "POST":
            return self.transfer(image, json.loads(body))
        if self.command == "DELETE":
            if image["deleted"]:
                return self.refuse(422, "unprocessable_entity",
                                   "Can not delete an already deleted image")
            image["deleted"] = True
            return self.answer(204)
        cloud.now += cloud.step
        if words[1:2] == ["actions"]:
            actions = [cloud.show_action(each) for each in cloud.actions.values()
                       if each["image"] == image["id"]]
            if len(words) == 2:
                return self.list_page(url, query, "actions", actions)
            return self.answer(200, {"action": next(
                each for each in actions if each["id"] == int(words[2]))})
        return self.answer(200, {"image": cloud.show_image(image)})

    def create(self, request):
        if not self.cloud.regions.get(request["region"]):
            return self.refuse(422, "unprocessable_entity", "Region is not available")
        image = self.cloud.add_image(
            request["name"], request["region"], request.get("tags", []), age=0,
            url=request["url"], distribution=request.get("distribution", "Unknown"),
            description=request.get("description", ""))
        return self.answer(202, {"image": self.cloud.show_image(image)})

    def transfer(self, image, request):
        if self.cloud.status_of(image) != "available":
            return self.refuse(422, "unprocessable_entity", "Image is not available yet")
        action = {"id": self.cloud.new_id(), "image": image["id"], "region": request["region"],
                  "at": self.cloud.now, "broken": request["region"] in self.cloud.broken_regions}
        self.cloud.actions[action["id"]] = action
        return self.answer(201, {"action": self.cloud.show_action(action)})

    def log_message(self, *_):
        pass


class FakeDigitalOcean:
    """The server in a thread."""

    def __init__(self, cloud=None):
        self.cloud = cloud or Cloud()
        kind = type("Handler", (Handler,), {"cloud": self.cloud})
        self.handler = kind
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that are killed
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put_file(self, name, data):
        self.cloud.files[f"/files/{name}"] = data
        return f"{self.url}/files/{name}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
