#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""DigitalOcean's own specification judges kiln's requests about droplets, and the answers of the fake,
as digitalocean_spec_test.py has it. Environment: KILN, KILN_BUILD."""

import json
import unittest

import droplet_test
from digitalocean_spec_test import SPEC, Prism, find_prism, skip


class Specification(droplet_test.WithDroplets):
    def setUp(self):
        super().setUp()
        self.fake.handler.pages = 200  # Prism does not change the links, which name the fake
        self.prism = Prism(self.folder, self.fake.url)
        self.addCleanup(self.prism.stop)
        self.api = self.prism.url

    def test_create_list_show_destroy(self):
        self.cloud.add_record("A", "www", "198.51.100.1")
        self.cloud.add_record("A", "www", "198.51.100.2")
        report = self.create("--domain", "a.example.org")
        self.require_whole()
        listed = json.loads(self.kiln("droplet", "list", "--json").stdout)
        self.assertEqual([each["id"] for each in listed], [report["id"]])
        self.kiln("droplet", "show", report["id"])
        self.kiln("droplet", "destroy", report["id"], "--with-volumes", "--yes")
        self.assertEqual((self.cloud.droplets, self.cloud.volumes), ({}, {}))

    def test_a_lost_answer(self):
        self.cloud.fail_once("POST /v2/droplets$", "lost")
        self.create()
        self.require_whole()

    def test_private(self):
        self.kiln(*self.words("--private", name="inner"))
        [droplet] = self.cloud.droplets.values()
        self.assertIs(droplet["request"]["public_networking"], False)


if __name__ == "__main__":
    if not SPEC:
        skip("KILN_DIGITALOCEAN_SPEC does not name DigitalOcean's specification")
    find_prism()
    unittest.main(verbosity=2)
