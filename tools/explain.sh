#!/bin/sh
# pip failed and has printed why; add the likeliest way out, and fail.
cat >&2 <<'TEXT'
inlay: the installation did not finish; pip's message is above.
  no network or a proxy:   set HTTPS_PROXY, or PIP_INDEX_URL for a mirror, and run make again
  no space left on device: free 3 GB, then `make clean` and again
  compiler errors:         a C++20 compiler is needed (g++ 11, clang 14 or newer)
TEXT
exit 1
