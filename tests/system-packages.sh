#!/usr/bin/env bash
# Debian packages that building PyAudio and running the tests need. Installs only what is missing, and only where it may.
set -eu
packages="mosquitto mosquitto-clients portaudio19-dev pulseaudio libasound2-plugins flite espeak-ng sox maven gcc chromium chromium-driver postgresql nats-server whois"
missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
# A Maven that was not installed by Debian's package serves as well.
command -v mvn >/dev/null && missing=${missing/ maven/}
command -v gcc >/dev/null && missing=${missing/ gcc/}
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "system packages missing:$missing; install them with this system's package manager" >&2
  exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null && sudo -n true 2>/dev/null || { echo "run as root: apt-get install$missing" >&2; exit 0; }
  as_root="sudo"
fi
echo "installing system packages:$missing"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
