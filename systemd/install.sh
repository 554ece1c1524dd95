#!/usr/bin/env bash
# Sets Undertone up as a service on this box, brings it up to date, or removes it. Safe to run again.
set -euo pipefail

usage() {
  cat <<'HELP'
usage: install.sh [options]              set up, or bring up to date (run as root, from the source folder or an unpacked release)
       install.sh --uninstall [--purge]  remove the program and its unit; --purge: configuration, secrets and state as well

options
  --source DIR     the Undertone source to install (default: the folder above this script)
  --python FILE    a Python 3.11, 3.12 or 3.13 (default: the system's, else the first on the PATH that lies below no home)
  --wheels DIR     take Python packages from this folder alone: no network is used
  --no-capture     leave PyAudio out (it is compiled): lines then come from commands such as arecord
  --no-speech      do not bring the speech recogniser (about 40 MB): the box then works with the voice alone
  --root DIR       set up below DIR and leave this system's systemd alone (images, tests)

what goes where
  /opt/undertone/releases/ID   the program, in an environment of its own; /opt/undertone/current is the one in service
  /etc/undertone               undertone.yaml, mqtt-password, mqtt-key: never overwritten, kept by --uninstall
  /var/lib/undertone           outbox, installed models, status: kept by --uninstall
  /etc/systemd/system          undertone.service
HELP
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
say() { printf 'install.sh: %s\n' "$*"; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit "${2:-1}"; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(dirname "$here")
root="" python="" wheels="" capture=yes speech=yes action=install purge=no
while [ $# -gt 0 ]; do
  case $1 in
    --source) source_dir=${2:?--source needs a folder}; shift ;;
    --python) python=${2:?--python needs a file}; shift ;;
    --wheels) wheels=${2:?--wheels needs a folder}; shift ;;
    --root) root=${2:?--root needs a folder}; root=${root%/}; shift ;;
    --no-capture) capture=no ;;
    --no-speech) speech=no ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown option '$1'" 2 ;;
  esac
  shift
done

opt=$root/opt/undertone etc=$root/etc/undertone state=$root/var/lib/undertone unit=$root/etc/systemd/system/undertone.service
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || die "run it as root (sudo $0), or give --root DIR to look at what it would do"
# Below --root the running system is none of our business.
service() { [ -n "$root" ] || "$systemctl" "$@"; }
# Where another one stands in for it (tests), it is asked below --root, too.
systemctl=${UNDERTONE_SYSTEMCTL:-systemctl}
[ -z "${UNDERTONE_SYSTEMCTL:-}" ] || service() { "$systemctl" "$@"; }

# Each step is taken whatever became of the one before: a box that is half removed already, or has no systemd running, is cleared too.
uninstall() {
  if [ -e "$unit" ]; then
    service disable --now --quiet undertone.service || say "the service could not be stopped: is systemd running? going on"
  fi
  rm -f "$unit" "${unit%/*}"/*.wants/undertone.service
  service daemon-reload || true
  rm -rf "$opt"
  rm -f "$root/usr/local/bin/undertone"
  if [ "$purge" = yes ]; then
    # systemd keeps the state of a dynamic user in /var/lib/private, and a link to it.
    rm -rf "$etc" "$state" "$root/var/lib/private/undertone" "$unit.d"
    say "removed, with configuration, secrets and state"
  else
    say "removed; kept $etc and $state (--purge removes them too)"
  fi
}

find_python() {
  local candidate where homely=""
  # The system's own first: what comes first on root's PATH may be somebody's (pyenv, uv, conda).
  for candidate in ${python:-/usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 /usr/bin/python3 python3.13 python3.12 python3.11 python3}; do
    "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue
    # The unit hides every home from the service (ProtectHome): such a Python would end it with 126 at its start.
    where=$("$candidate" -c 'import os, sys; print(os.path.realpath(sys.base_prefix))')
    case $where/ in
      /home/* | /root/* | /run/user/*) [ -n "$root" ] || { homely="$candidate ($where)"; continue; } ;;
    esac
    command -v "$candidate"
    return
  done
  [ -z "$homely" ] || die "$homely: lies below a home, which the service may not read; apt-get install python3 python3-venv, or --python FILE"
  die "${python:-no Python 3.11, 3.12 or 3.13 with venv here}: not usable; apt-get install python3 python3-venv"
}

check_systemd() {
  [ -n "$root" ] && return
  command -v systemctl >/dev/null || die "no systemd here; see docs/install.md for running it without"
  # As sd_booted(3): the folder is there while systemd is process 1, and nowhere else (a container, a chroot, another init).
  [ -d /run/systemd/system ] ||
    die "systemd is installed and not running (a container, a chroot, another init?): nothing was changed; see docs/install.md for running it without"
}

check_compiler() {
  # Every package but PyAudio has wheels for 64-bit boxes.
  [ "$capture" = yes ] && [ -z "$wheels" ] || return 0
  command -v gcc >/dev/null && [ -e /usr/include/portaudio.h ] && return 0
  die "PyAudio has to be compiled: apt-get install gcc python3-dev portaudio19-dev, or --wheels DIR with its wheel, or --no-capture"
}

# What is installed, told by its content: the same source is the same release.
release_id() {
  local version digest
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source_dir/pyproject.toml")
  digest=$(cd "$source_dir" && find edge models pyproject.toml constraints.txt -type f ! -path '*/__pycache__/*' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
  printf '%s-%s' "$version" "$digest"
}

install_release() {
  local release=$opt/releases/$1 interpreter=$2 extras=""
  if [ -e "$release/.complete" ]; then
    say "release $1 is there already"
    return
  fi
  rm -rf "$release"
  mkdir -p "$opt/releases"
  [ "$capture" = no ] || extras="[capture]"
  local offline=() uv_version
  [ -z "$wheels" ] || offline=(--no-index --find-links "$wheels")
  uv_version=$(sed -n 's/^UV_VERSION := //p' "$source_dir/Makefile")
  say "release $1: setting up with $("$interpreter" --version)"
  # uv, as `make setup` uses it: pip refuses a wheel that LiteRT asks for. It and the build stay out of release and source.
  "$interpreter" -m venv "$scratch/uv"
  "$scratch/uv/bin/python" -m pip install --quiet --disable-pip-version-check "${offline[@]}" "uv==$uv_version"
  "$interpreter" -m venv --without-pip "$release"
  mkdir -p "$scratch/source/convert"
  cp -r "$source_dir"/{pyproject.toml,README.md,LICENSE,edge} "$scratch/source"
  # shellcheck disable=SC2086 (options, to be split)
  UV_CACHE_DIR=$scratch/cache UV_LINK_MODE=copy "$scratch/uv/bin/uv" pip install --quiet --python "$release/bin/python" \
    --constraint "$source_dir/constraints.txt" "${offline[@]}" ${UNDERTONE_UV_OPTIONS:-} "$scratch/source$extras"
  # convert needs TensorFlow and stays in the lab.
  rm -f "$release/bin/undertone-convert"
  mkdir -p "$release/share/undertone"
  cp -r "$source_dir/models" "$release/share/undertone/"
  touch "$release/.complete"
}

switch_to() {
  ln -sfn "releases/$1" "$opt/.next"
  mv -T "$opt/.next" "$opt/current"
  # The one before stays, for going back: ln -sfn releases/ID /opt/undertone/current
  local old
  for old in $(cd "$opt/releases" && ls -t | grep -vx "$1" | tail -n +2); do rm -rf "$opt/releases/$old"; done
}

write_configuration() {
  local name
  install -d -m 0755 "$etc"
  # Empty is allowed: a broker without a password. They must be there, because the unit hands them over.
  for name in mqtt-password mqtt-key; do
    [ -e "$etc/$name" ] || install -m 0600 /dev/null "$etc/$name"
  done
  [ -e "$etc/undertone.yaml" ] && return
  name=$(uname -n | sed 's/[^A-Za-z0-9._-]/-/g')
  cat > "$etc/undertone.yaml" <<YAML
# Every key is in the README. After a change: undertone doctor --config $etc/undertone.yaml, then systemctl restart undertone
site: site
device: ${name:-box}
lines:
  - name: line-1
    source: {device: auto}          # undertone devices lists what is there
    channels: [customer, agent]     # [mixed] where both speak on one channel
mqtt:
  url: mqtt://127.0.0.1:1883
  # username: ${name:-box}
  # password_file: /run/credentials/undertone.service/mqtt-password
privacy: numbers
state_dir: /var/lib/undertone
YAML
  if [ "$speech" = yes ]; then
    printf 'models:\n  vosk: /opt/undertone/share/%s\n' "$speech_model" >> "$etc/undertone.yaml"
  fi
  chmod 0644 "$etc/undertone.yaml"
}

speech_model=vosk-model-small-en-us-0.15
fetch_speech() {
  [ "$speech" = yes ] || return 0
  mkdir -p "$opt/share"
  "$opt/current/bin/undertone" fetch-model --to "$opt/share/$speech_model" ||
    die "no speech recogniser: bring it with 'undertone fetch-model --from FILE --to $opt/share/$speech_model', or use --no-speech"
}

install_all() {
  local interpreter release
  [ -f "$source_dir/pyproject.toml" ] || die "$source_dir: not the Undertone source; give --source DIR" 2
  interpreter=$(find_python)
  check_systemd
  check_compiler
  release=$(release_id)
  # Everyone may run the program; nobody but root may change it.
  umask 022
  install_release "$release" "$interpreter"
  switch_to "$release"
  fetch_speech
  write_configuration
  install -D -m 0644 "$here/undertone.service" "$unit"
  if [ -n "$root" ]; then
    say "staged below $root"
    return
  fi
  ln -sf /opt/undertone/current/bin/undertone /usr/local/bin/undertone
  service daemon-reload
  # A new box is not started: its configuration has only just been written.
  if systemctl is-active --quiet undertone.service; then
    service restart undertone.service
    say "brought up to date and started again; see: systemctl status undertone"
  else
    say "set up. Next: undertone setup --config $etc/undertone.yaml; systemctl enable --now undertone"
  fi
}

if [ "$action" = uninstall ]; then
  uninstall
else
  install_all
fi
