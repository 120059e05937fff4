# SPDX-License-Identifier: MIT
if(KILN_SANITIZE)
    add_compile_options(-fsanitize=${KILN_SANITIZE} -fno-omit-frame-pointer
                        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${KILN_SANITIZE})
endif()
# Coverage feedback for the fuzzer's programs; without it they only guess.
if(KILN_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
