# SPDX-License-Identifier: MIT
"""What droplets need of DigitalOcean's API, on top of the fake for images: droplets, volumes, domains,
SSH keys, sizes and projects. Droplets are on this host: their public address is 127.0.0.1."""

import json
import urllib.parse
import uuid

from fake_digitalocean import FEATURES, TOKEN, Cloud, FakeDigitalOcean, Handler

SIZES = {"s-1vcpu-2gb": 50, "s-2vcpu-4gb": 80}


class DropletCloud(Cloud):
    def __init__(self, boot_time=30, **more):
        super().__init__(**more)
        self.boot_time = boot_time
        self.droplets = {}
        self.volumes = {}
        self.records = {}  # by id, of example.org
        self.assigned = []
        self.keys = {11: "laptop", 12: "office"}
        self.project = str(uuid.UUID(int=7))
        self.image = self.add_image("pause", tags=["kiln"])
        self.add_record("NS", "@", "ns1.digitalocean.com")

    def add_record(self, kind, name, data):
        identifier = self.new_id()
        self.records[identifier] = {"type": kind, "name": name, "data": data, "ttl": 1800}
        return identifier

    def addresses(self, name):
        return [each["data"] for each in self.records.values()
                if each["type"] == "A" and each["name"] == name]

    def show_size(self, slug):
        return {"slug": slug, "memory": 2048, "vcpus": 1, "disk": SIZES[slug], "transfer": 2.0,
                "price_monthly": 12.0, "price_hourly": 0.018, "regions": ["nyc3", "ams3"],
                "available": True, "description": "Basic"}

    def show_key(self, identifier):
        return {"id": identifier, "name": self.keys[identifier],
                "fingerprint": ":".join([f"{identifier:02x}"] * 16),
                "public_key": "ssh-ed25519 AAAA test"}

    def show_droplet(self, droplet):
        request = droplet["request"]
        is_active = self.now - droplet["at"] >= self.boot_time
        v4 = [{"ip_address": "10.0.0.9", "netmask": "255.0.0.0", "gateway": "10.0.0.1",
               "type": "private"}]
        if request.get("public_networking", True):
            v4.append({"ip_address": "127.0.0.1", "netmask": "255.0.0.0",
                       "gateway": "127.0.0.2", "type": "public"})
        return {
            "id": droplet["id"], "name": request["name"], "memory": 2048, "vcpus": 1, "disk": 50,
            "locked": not is_active, "status": "active" if is_active else "new", "kernel": None,
            "created_at": self.stamp(droplet["at"]), "features": ["private_networking"],
            "backup_ids": [], "next_backup_window": None, "snapshot_ids": [],
            "image": self.show_image(self.images[request["image"]]),
            "volume_ids": [each["id"] for each in self.volumes.values()
                           if droplet["id"] in each["droplets"]],
            "size": self.show_size(request["size"]), "size_slug": request["size"],
            "networks": {"v4": v4 if is_active else [], "v6": []},
            "region": self.show_region(request["region"]), "tags": request["tags"],
            "vpc_uuid": str(uuid.UUID(int=1))}

    def show_volume(self, volume):
        request = volume["request"]
        return {"id": volume["id"], "droplet_ids": volume["droplets"], "name": request["name"],
                "description": "", "size_gigabytes": request["size_gigabytes"],
                "created_at": self.stamp(0), "tags": request["tags"],
                "region": {"name": "x", "slug": request["region"], "sizes": list(SIZES),
                           "features": FEATURES, "available": True},
                "filesystem_type": "", "filesystem_label": ""}

    def show_record(self, identifier):
        empty = {"priority": None, "port": None, "weight": None, "flags": None, "tag": None}
        return {"id": identifier, **empty, **self.records[identifier]}


class DropletHandler(Handler):
    def route(self, url, body):
        words = url.path.strip("/").split("/")
        kinds = {"droplets": self.droplets, "volumes": self.volumes, "domains": self.domains,
                 "account": self.keys, "sizes": self.sizes, "projects": self.projects}
        is_known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not is_known or words[0] != "v2" or words[1] not in kinds:
            return super().route(url, body)  # which refuses strangers
        query = dict(urllib.parse.parse_qsl(url.query))
        return kinds[words[1]](url, words[2:], query, json.loads(body) if body else {})

    def missing(self):
        return self.refuse(404, "not_found", "The resource you requested could not be found.")

    def sizes(self, url, words, query, request):
        self.list_page(url, query, "sizes", [self.cloud.show_size(each) for each in SIZES])

    def keys(self, url, words, query, request):
        self.list_page(url, query, "ssh_keys",
                       [self.cloud.show_key(each) for each in self.cloud.keys])

    def projects(self, url, words, query, request):
        if words[1:] == ["resources"]:
            self.cloud.assigned += request["resources"]
            return self.answer(200, {"resources": [
                {"urn": each, "assigned_at": self.cloud.stamp(0), "status": "ok",
                 "links": {"self": "https://api.example/x"}} for each in request["resources"]]})
        return self.list_page(url, query, "projects", [
            {"id": self.cloud.project, "owner_uuid": self.cloud.project, "owner_id": 1,
             "name": "shop", "description": "", "purpose": "Website or blog",
             "environment": "Production", "is_default": True,
             "created_at": self.cloud.stamp(0), "updated_at": self.cloud.stamp(0)}])

    def domains(self, url, words, query, request):
        records = self.cloud.records
        if not words:
            return self.list_page(url, query, "domains", [
                {"name": "example.org", "ttl": 1800, "zone_file": ""}])
        if len(words) == 3:
            identifier = int(words[2])
            if identifier not in records:
                return self.missing()
            if self.command == "DELETE":
                del records[identifier]
                return self.answer(204)
            records[identifier] = request
            return self.answer(200, {"domain_record": self.cloud.show_record(identifier)})
        if self.command == "POST":
            identifier = self.cloud.new_id()
            records[identifier] = request
            return self.answer(201, {"domain_record": self.cloud.show_record(identifier)})

        def full(record):
            return "example.org" if record["name"] == "@" else record["name"] + ".example.org"
        return self.list_page(url, query, "domain_records", [
            self.cloud.show_record(each) for each, record in records.items()
            if query.get("type", record["type"]) == record["type"]
            and query.get("name", full(record)) == full(record)])

    def volumes(self, url, words, query, request):
        cloud = self.cloud
        if not words and self.command == "POST":
            if any(each["request"]["name"] == request["name"] for each in cloud.volumes.values()):
                return self.refuse(409, "conflict", "a volume with that name already exists")
            volume = {"id": str(uuid.UUID(int=cloud.new_id())), "request": request, "droplets": []}
            cloud.volumes[volume["id"]] = volume
            return self.answer(201, {"volume": cloud.show_volume(volume)})
        if not words:
            return self.list_page(url, query, "volumes", [
                cloud.show_volume(each) for each in cloud.volumes.values()
                if query.get("name") in (None, each["request"]["name"])])
        volume = cloud.volumes.get(words[0])
        if volume is None:
            return self.missing()
        if self.command == "DELETE":
            if volume["droplets"]:
                return self.refuse(409, "conflict", "the volume is attached")
            del cloud.volumes[words[0]]
            return self.answer(204)
        if words[1:] == ["actions"]:
            volume["droplets"] = [request["droplet_id"]]
            return self.answer(202, {"action": {
                "id": cloud.new_id(), "status": "completed", "type": "attach_volume",
                "started_at": cloud.stamp(0), "completed_at": cloud.stamp(0),
                "resource_type": "backend", "region_slug": "nyc3"}})
        return self.answer(200, {"volume": cloud.show_volume(volume)})

    def droplets(self, url, words, query, request):
        cloud = self.cloud
        if not words and self.command == "POST":
            return self.create_droplet(request)
        if not words and self.command == "GET":
            return self.list_page(url, query, "droplets", [
                cloud.show_droplet(each) for each in cloud.droplets.values()
                if query.get("name") in (None, each["request"]["name"])
                and ("tag_name" not in query or query["tag_name"] in each["request"]["tags"])])
        if not words:
            raise AssertionError("droplets must not be deleted by tag")
        droplet = cloud.droplets.get(int(words[0]))
        if droplet is None:
            return self.missing()
        if self.command == "DELETE":
            del cloud.droplets[droplet["id"]]
            for volume in cloud.volumes.values():
                volume["droplets"] = [each for each in volume["droplets"] if each != droplet["id"]]
            return self.answer(204)
        cloud.now += cloud.step
        if words[1:] == ["actions"]:
            return self.list_page(url, query, "actions", [{
                "id": 1, "status": "in-progress", "type": "create",
                "started_at": cloud.stamp(droplet["at"]), "completed_at": None,
                "resource_id": droplet["id"], "resource_type": "droplet",
                "region": cloud.show_region("nyc3"), "region_slug": "nyc3"}])
        return self.answer(200, {"droplet": cloud.show_droplet(droplet)})

    def create_droplet(self, request):
        droplet = {"id": self.cloud.new_id(), "request": request, "at": self.cloud.now}
        self.cloud.droplets[droplet["id"]] = droplet
        for identifier in request.get("volumes", []):
            self.cloud.volumes[identifier]["droplets"] = [droplet["id"]]
        return self.answer(202, {
            "droplet": self.cloud.show_droplet(droplet),
            "links": {"actions": [{"id": 1, "rel": "create",
                                   "href": "https://api.example/v2/actions/1"}]}})


class FakeDroplets(FakeDigitalOcean):
    def __init__(self, cloud=None):
        super().__init__(cloud or DropletCloud())
        self.handler = type("Handler", (DropletHandler,), {"cloud": self.cloud})
        self.server.RequestHandlerClass = self.handler
