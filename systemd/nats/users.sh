#!/bin/sh
# Writes users.conf for undertone.conf from a list of names and password hashes, one a line:
#
#   leeds/desk-014 $2b$05$...      a box: <site>/<device>
#   recovery $2b$05$...            a program: recovery, watch, operator, switchboard, technician, quality, or a team's own (its route)
#
#   hash of a password:  mkpasswd --method=bcrypt --rounds=5     (Debian package whois; of a random password more rounds gain nothing)
#   sh users.sh names > users.conf
#
# The rights are those of systemd/mosquitto/acl: only boxes write events, and each its own. MQTT's a/b/+ and a/b/# are a.b.* and a.b.> here.
set -eu
[ $# -eq 1 ] || { echo "usage: sh users.sh NAMES > users.conf" >&2; exit 2; }
exec awk '
function quoted(list,   n, parts, i, made) {
    n = split(list, parts, " ")
    for (i = 1; i <= n; i++) made = made (i > 1 ? ", " : "") "\"" parts[i] "\""
    return "[" made "]"
}
# A desk hears of each event where it has acknowledged the last: by a subject of its own for each subscription.
function user(name, hash, write, read, deny) {
    read = quoted(read " $MQTT.sub.>")
    if (deny != "") read = "{allow: " read ", deny: " quoted(deny) "}"
    out = out sprintf("      {user: \"%s\", password: \"%s\", permissions: {publish: %s, subscribe: %s}}\n", name, hash, quoted(write), read)
}
# Who subscribes to a/# in MQTT is given a too.
function above(subject) { return sub(/\.>$/, "", subject) ? " " subject : "" }
function events(kinds,   n, parts, i, made) {
    n = split(kinds, parts, " ")
    for (i = 1; i <= n; i++) made = made " undertone.v1.*.*." parts[i] above("undertone.v1.*.*." parts[i])
    return made
}
BEGIN {
    answers = "undertone-cmd.v1.*.*.alert.> undertone-cmd.v1.*.*.feedback.>"
    # All but words; who subscribes to more than it may hear is given the rest.
    all = "undertone.v1 undertone.v1.>"; words = "undertone.v1.*.*.text.>"
}
/^[ \t]*(#|$)/ { next }
NF != 2 { printf "line %d: give a name and a password hash, and nothing else\n", NR > "/dev/stderr"; failed = 1; exit 1 }
$1 ~ /^[^\/]+\/[^\/]+$/ {
    # A dot in a level is written // in a subject.
    split($1, level, "/"); gsub(/\./, "//", level[1]); gsub(/\./, "//", level[2])
    own = level[1] "." level[2]
    user($1, $2, "undertone.v1." own ".>", "undertone-cmd.v1." own " undertone-cmd.v1." own ".> undertone.v1." own ".selftest undertone.v1." own ".state")
    next
}
$1 == "recovery" { user($1, $2, answers " undertone-cmd.v1.*.*.call.*.context undertone-cmd.v1.*.*.customer.erase", all, words); next }
$1 == "watch" { user($1, $2, "none", all, words); next }
$1 == "operator" { user($1, $2, answers, events("reply")); next }
$1 == "switchboard" { user($1, $2, "undertone-cmd.v1.*.*.call.>", events("reply")); next }
$1 == "technician" { user($1, $2, "undertone-cmd.v1.*.*.model.> undertone-cmd.v1.*.*.selftest.>", events("info state model selftest reply")); next }
$1 == "quality" { user($1, $2, "none", all); next }
{ user($1, $2, "undertone-cmd.v1.*.*.alert.>", events("alert." $1)) }
END { if (!failed) printf "# Written by users.sh.\naccounts {\n  UNDERTONE {\n    jetstream: enabled\n    users: [\n%s    ]\n  }\n}\n", out }
' "$1"
