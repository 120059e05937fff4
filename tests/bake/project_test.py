# SPDX-License-Identifier: MIT
"""A project from `kiln init`, baked from a folder in it, and a recipe alone in an empty folder."""

import json
import pathlib
import shutil
import tempfile
import unittest

import world


class Project(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-project."))  # in no other project
        self.addCleanup(shutil.rmtree, self.folder, True)

    def test_init_makes_a_project_that_bakes(self):
        made = world.succeed("init", "web", cwd=self.folder)
        self.assertEqual(made.stderr, "next: cd web && kiln bake web\n")
        overlay = self.folder / "web/overlays/web/etc"
        refused = world.kiln("bake", "web", "--locked", cwd=overlay)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("lock '../../../recipes/web.lock' not found", refused.stderr)
        baked = world.succeed("bake", "web", "--image", "docker,qcow2", "--check", "none", cwd=overlay)
        self.assertIn("no lock '../../../recipes/web.lock' yet: resolving the recipe\n", baked.stderr)
        self.assertTrue(baked.stderr.endswith(
            "next:\n  kiln run web --vm\n  kiln run web --docker\n"
            "  docker load --input ../../../out/web/web.docker.tar\n  kiln accept web\n"), baked.stderr[-400:])
        self.assertFalse((overlay / "out").exists())
        again = world.succeed("bake", "web", "--offline", "--locked", "--json", "--check", "none",
                              "--image", "docker,qcow2", cwd=self.folder / "web")
        self.assertNotIn("next:", again.stderr)
        self.assertTrue(all(stage["cached"] for stage in json.loads(again.stdout)["stages"]))
        world.succeed("inspect", "out/web/web.qcow2", "--no-check", cwd=self.folder / "web")

    def test_a_recipe_in_an_empty_folder(self):
        lines = (world.WORK / "recipes/debian-minimal.yaml").read_text().split("\nfinal:")[0]
        (self.folder / "small.yaml").write_text(
            lines.replace("parts/debian-12-vm.yaml", "debian-12-vm") + "\nimages: [oci]\n")
        done = world.succeed("bake", "./small.yaml", cwd=self.folder)
        self.assertEqual(
            sorted(p.name for p in self.folder.iterdir()), ["out", "small.lock", "small.yaml"])
        self.assertIn("out/debian-minimal/debian-minimal.oci", done.stdout)
        self.assertIn("next:\n  kiln run small.yaml --docker\n", done.stderr.replace("./small", "small"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
