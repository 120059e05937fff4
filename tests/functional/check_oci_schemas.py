#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks the JSON files of an OCI layout against the schemas of the image specification.

check_oci_schemas.py SCHEMA_DIR LAYOUT
"""
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
import jsonschema  # noqa: E402


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def ids(schema):
    """All "id" addresses in a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("id"), str):
            yield schema["id"]
        for value in schema.values():
            yield from ids(value)


def main(schema_dir, layout):
    schemas = {name: load(os.path.join(schema_dir, name)) for name in os.listdir(schema_dir)
               if name.endswith(".json")}
    # References are file names, resolved below the address of the nearest "id", at any depth.
    store = {i: s for s in schemas.values() for i in ids(s) if i == s.get("id")}
    for base in {i.rsplit("/", 1)[0] + "/" for s in schemas.values() for i in ids(s)}:
        store.update({base + name: s for name, s in schemas.items()})
    faults = []

    def check(name, value, what):
        schema = schemas[name]
        resolver = jsonschema.RefResolver(schema.get("id", ""), schema, store=store)
        for error in jsonschema.Draft4Validator(schema, resolver=resolver).iter_errors(value):
            faults.append(f"{what}: {'/'.join(map(str, error.path))}: {error.message}")

    def blob(descriptor):
        check("content-descriptor.json", descriptor, "descriptor")
        return load(os.path.join(layout, "blobs", *descriptor["digest"].split(":")))

    check("image-layout-schema.json", load(os.path.join(layout, "oci-layout")), "oci-layout")
    index = load(os.path.join(layout, "index.json"))
    check("image-index-schema.json", index, "index")
    manifest = blob(index["manifests"][0])
    check("image-manifest-schema.json", manifest, "manifest")
    check("config-schema.json", blob(manifest["config"]), "config")
    for layer in manifest["layers"]:
        check("content-descriptor.json", layer, "layer")
    print("\n".join(faults) or "all files fit their schemas")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
