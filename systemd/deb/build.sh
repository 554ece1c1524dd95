#!/usr/bin/env bash
# Builds Undertone's Debian packages: build.sh OUT [ARCH]. ARCH is amd64 or arm64 (default: this machine's); either is built on either.
#
#   undertone_VERSION_ARCH.deb          the program, its models and its unit
#   undertone-speech-en_VERSION_all.deb the speech recogniser, where this machine has it (undertone fetch-model)
#
# Everything comes as wheels for the Python of the Debian that this runs on. PyAudio has none: Debian's python3-pyaudio stands in for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
out=${1:?usage: build.sh OUT [amd64|arm64]}
arch=${2:-$(dpkg --print-architecture)}
python=/usr/bin/python3
uv=${UV:-$top/.venv/bin/uv}
speech_model=vosk-model-small-en-us-0.15
speech=${SPEECH:-${XDG_DATA_HOME:-$HOME/.local/share}/undertone/$speech_model}
export UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy

say() { printf 'build.sh: %s\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }
# The oldest C library that the wheels may ask for: Debian 12's is 2.36.
case $arch in
  amd64) platform=x86_64-manylinux_2_34 ;;
  arm64) platform=aarch64-manylinux_2_34 ;;
  *) die "$arch: there are no wheels for it; give amd64 or arm64 (docs/install.md)" ;;
esac
command -v dpkg-deb >/dev/null || die "dpkg-deb is not here: build on a Debian"
[ -x "$uv" ] || die "$uv is not here: make setup, or UV=FILE"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/pyproject.toml")
# The same minor version: the wheels are for it, and Debian never changes it within a release.
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $minor in 3.11 | 3.12 | 3.13) ;; *) die "$python is Python $minor; Undertone needs 3.11, 3.12 or 3.13" ;; esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 022
mkdir -p "$out"

# A package as dpkg-deb takes it: control fields on stdin, files below $1.
control() { mkdir -p "$1/DEBIAN" && cat > "$1/DEBIAN/control" && printf 'Installed-Size: %s\n' "$(du -sk "$1" | cut -f1)" >> "$1/DEBIAN/control"; }
pack() { (cd "$1" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums)
  # Any Debian from 12 on takes zstd; xz took minutes.
  dpkg-deb --root-owner-group -Zzstd -z6 --build "$1" "$out" >/dev/null; }

build_program() {
  local root=$scratch/undertone lib=$scratch/undertone/usr/lib/undertone site
  site=$lib/lib/python$minor/site-packages
  "$python" -m venv --without-pip "$lib"
  rm -f "$lib"/bin/[Aa]ctivate* "$lib/lib64"
  # The path that it will have, not the one that it was made at.
  sed -i "/^command = /d" "$lib/pyvenv.cfg"
  # setuptools leaves its own folders beside what it builds.
  mkdir -p "$scratch/source/convert" "$scratch/source/desk"
  cp -r "$top"/{pyproject.toml,README.md,LICENSE,edge} "$scratch/source"
  UV_CACHE_DIR=${UV_CACHE_DIR:-$scratch/cache} "$uv" build --quiet --wheel --python "$python" --out-dir "$scratch/wheel" "$scratch/source"
  # shellcheck disable=SC2086 (options, to be split)
  UV_CACHE_DIR=${UV_CACHE_DIR:-$scratch/cache} "$uv" pip install --quiet --python "$python" --target "$site" --python-platform "$platform" \
    --python-version "$minor" --only-binary :all: --no-binary srt --constraint "$top/constraints.txt" ${UNDERTONE_UV_OPTIONS:-} "$scratch"/wheel/undertone-*.whl
  rm -rf "$site"/{bin,share,.lock}
  mkdir -p "$lib/share/undertone"
  cp -r "$top/models" "$lib/share/undertone/"
  ln -s /usr/lib/python3/dist-packages/pyaudio "$site/pyaudio"
  printf '#!/usr/lib/undertone/bin/python\nimport sys\n\nfrom edge.__main__ import main\n\nsys.exit(main())\n' > "$lib/bin/undertone"
  chmod 0755 "$lib/bin/undertone"
  # Nobody writes there afterwards, and what is not compiled would be anew at each start; their times do not matter then.
  "$python" -m compileall -q -j 2 --invalidation-mode unchecked-hash -s "$root" -p / "$site" >/dev/null
  install -d "$root/usr/bin"
  ln -s ../lib/undertone/bin/undertone "$root/usr/bin/undertone"
  install -D -m 0644 "$top/systemd/undertone.service" "$root/usr/lib/systemd/system/undertone.service"
  sed -i 's|/opt/undertone/current/bin/undertone|/usr/bin/undertone|' "$root/usr/lib/systemd/system/undertone.service"
  # No conffile: `undertone setup` writes the configuration, and an upgrade has nothing to ask about it.
  install -D -m 0644 "$here/undertone.yaml" "$lib/share/undertone/undertone.yaml"
  install -D -m 0644 "$top/LICENSE" "$root/usr/share/doc/undertone/copyright"
  cp -r "$top/README.md" "$top/docs" "$top/systemd/mosquitto" "$root/usr/share/doc/undertone/"
  control "$root" <<CONTROL
Package: undertone
Version: $version
Architecture: $arch
Maintainer: Undertone <undertone@localhost>
Section: sound
Priority: optional
Depends: python$minor, python3-pyaudio, libstdc++6, libgcc-s1, libatomic1
Recommends: undertone-speech-en, alsa-utils
Homepage: https://undertone.invalid/
Description: hears how a customer on the phone feels, and tells over MQTT
 A box on a contact centre's phone line. It works out on the box how the
 customer feels from how they speak and from what they say, and tells a
 central MQTT broker while the call goes on. Audio never leaves the box.
CONTROL
  install -m 0755 "$here"/{preinst,postinst,prerm,postrm} "$root/DEBIAN/"
  pack "$root"
}

build_speech() {
  local root=$scratch/speech place
  place=$root/usr/lib/undertone/share/undertone/models/$speech_model
  mkdir -p "$(dirname "$place")"
  cp -rL "$speech" "$place"
  control "$root" <<CONTROL
Package: undertone-speech-en
Version: $version
Architecture: all
Maintainer: Undertone <undertone@localhost>
Section: sound
Priority: optional
Depends: undertone (>= $version)
Description: English speech recogniser for undertone
 The small English Vosk model (Apache-2.0), with its language model fitted to
 service calls. Without it undertone judges by the voice alone.
CONTROL
  pack "$root"
}

say "undertone $version for $arch, Python $minor"
build_program
if [ -d "$speech" ]; then
  "$top/.venv/bin/undertone" fetch-model --check --to "$speech" >/dev/null 2>&1 || die "$speech is not whole: undertone fetch-model"
  build_speech
else
  say "no speech recogniser at $speech (undertone fetch-model brings it): no undertone-speech-en"
fi
say "$(cd "$out" && ls -1 undertone*_"$version"_*.deb | tr '\n' ' ')in $out"
