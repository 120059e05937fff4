// SPDX-License-Identifier: MIT
#include "oci/image_reference.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace kiln {
namespace {

TEST(ImageReference, IsWhatEnginesTake) {
    for (const char* text :
         {"web",
          "web:latest",
          "kiln-run:kiln-run.AbC_12",
          "library/debian:12-slim",
          "docker.io/library/kiln-sample:1",
          "localhost/x",
          "localhost:5000/a/b__c/d---e:V1",
          "[::1]:5000/x:1",
          "registry.example:5000/x@sha256:"
          "71c38614ee4a33dd19c8b6c8293eae3597b28b80006d7add4b02d5efa57126f5"}) {
        EXPECT_TRUE(is_image_reference(text)) << text;
    }
    EXPECT_TRUE(
        is_image_id("sha256:71c38614ee4a33dd19c8b6c8293eae3597b28b80006d7add4b02d5efa57126f5"));
    EXPECT_TRUE(is_image_id("71c38614ee4a"));
}

TEST(ImageReference, IsNoOptionAndNothingElse) {
    for (const char* text :
         {"",
          "-v",
          "--privileged",
          "-v/:/host",
          "web --privileged",
          "Web",
          "web:",
          "web:-x",
          "a//b",
          "a/",
          "/a",
          "a/-b",
          "a..b",
          "a___b",
          "web\n",
          "web:la\x1b[2Jtest",
          "host:port/x",
          "-host.example/x",
          "x@sha256:12",
          "x@md5:1"}) {
        EXPECT_FALSE(is_image_reference(text)) << text;
        EXPECT_FALSE(is_image_id(text)) << text;
    }
    EXPECT_EQ(
        test::message_of([] { require_image_reference("--privileged\x1b"); }),
        "'--privileged\\x1b' is not a valid image reference");
}

} // namespace
} // namespace kiln
