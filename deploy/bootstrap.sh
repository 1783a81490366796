#!/bin/sh
# Prepare this machine for one purpose; run again, it does only what is missing.
#   bootstrap.sh run      .venv with what the service needs
#   bootstrap.sh test     the same plus the test tools, a browser and a CJK font
#   bootstrap.sh judges   outside programs that check our work: pdfsig, qpdf, Apache's OpenID module, BouncyCastle, SoftHSM,
#                         Node, ofdrw, easyofd, EU DSS, veraPDF, PDFBox
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

apt_updated=
install_packages() {
    if [ -z "$apt_updated" ]; then
        apt-get update -qq >/dev/null 2>&1 || say "The package lists could not be refreshed; trying with the old ones."
        apt_updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

# --- Python ----------------------------------------------------------------------------------------------------

need_python() {
    if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        say "Python 3.11 or newer is needed; found: $("$PYTHON" --version 2>&1 || echo none). Install it, or name it: make PYTHON=/path/to/python3 …"
        exit 1
    fi
}

make_venv() {
    [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    rm -rf .venv
    if ! "$PYTHON" -m venv .venv >/dev/null 2>&1; then
        package="python$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        if can_install && { say "Installing $package …"; install_packages "$package"; }; then
            rm -rf .venv
            "$PYTHON" -m venv .venv
        else
            rm -rf .venv
            say "Python's venv module is incomplete here; install the package $package, then run make again."
            exit 1
        fi
    fi
}

fill_venv() { # $1: lock file
    stamp=.venv/xinyin-$(cat "$1" pyproject.toml | cksum | tr -d ' ')
    [ -e "$stamp" ] && return
    say "Installing the locked dependencies into .venv (a minute, once) …"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$1"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    rm -f .venv/xinyin-*
    : >"$stamp"
}

# --- programs --------------------------------------------------------------------------------------------------

has_browser() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }
has_cjk_font() { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ]; }

browser_and_font() {
    missing=
    has_browser || missing="$missing chromium"
    has_cjk_font || missing="$missing fonts-noto-cjk fontconfig"
    [ -z "$missing" ] && return
    # shellcheck disable=SC2086 # a list of package names
    if can_install && { say "Installing$missing …"; install_packages $missing; }; then return; fi
    say "The browser tests will be skipped: install$missing to run them."
}

judges() {
    missing=
    command -v pdfsig >/dev/null 2>&1 || missing="$missing poppler-utils"
    command -v qpdf >/dev/null 2>&1 || missing="$missing qpdf"
    command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
    [ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing="$missing apache2 libapache2-mod-auth-openidc"
    [ -e /usr/share/java/bcpkix.jar ] || missing="$missing libbcpkix-java libbcprov-java"
    command -v javac >/dev/null 2>&1 || missing="$missing default-jdk-headless"
    [ -e /usr/lib/softhsm/libsofthsm2.so ] || missing="$missing softhsm2"
    command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
    command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
    command -v mvn >/dev/null 2>&1 || missing="$missing maven"
    [ -z "$missing" ] || judge_packages
    jars ofdrw ofdrw
    jars pdf "EU DSS, veraPDF and PDFBox"
    easyofd
}

judge_packages() {
    if ! can_install; then
        say "Some outside judges are missing and their tests will be skipped: install$missing to run them."
        return
    fi
    for package in $missing; do
        say "Installing $package …"
        install_packages "$package" || say "$package could not be installed; the tests that need it will be skipped."
    done
}

jars() { # $1: a folder of tests/judges/java, $2: its name for people; once for each state of its list of jars
    list=tests/judges/java/$1/pom.xml
    folder=.cache/judges/$1
    stamp=$folder/lib/xinyin-$(cksum <"$list" | tr -d ' ')
    [ -e "$stamp" ] && return
    command -v mvn >/dev/null 2>&1 || return 0
    say "Fetching $2 …"
    rm -rf "$folder"
    # A slow repository must not hold the tests up: a few seconds for each answer, two minutes for all, then once more.
    for patience in 120 60; do
        if timeout $patience mvn -B -q -f "$list" -Dmaven.wagon.http.retryHandler.count=2 -Dmaven.wagon.rto=20000 \
            -Daether.connector.connectTimeout=10000 -Daether.connector.requestTimeout=20000 package >/dev/null 2>&1; then
            : >"$stamp"
            return
        fi
    done
    rm -rf "$folder"
    say "$2 could not be had; the tests that need it will be skipped."
}

easyofd() { # in an environment of its own; an older PyMuPDF, for newer ones bring a neural network along
    folder=.cache/judges/easyofd
    [ -e $folder/complete ] && return
    need_python
    say "Fetching easyofd …"
    rm -rf $folder
    if "$PYTHON" -m venv $folder >/dev/null 2>&1 &&
        $folder/bin/python -m pip install --quiet --disable-pip-version-check easyofd==20260427 'PyMuPDF==1.24.14' \
            >/dev/null 2>&1; then
        : >$folder/complete
        return
    fi
    rm -rf $folder
    say "easyofd could not be had; the tests that need it will be skipped."
}

case ${1:-run} in
run) need_python && make_venv && fill_venv requirements.lock ;;
test) need_python && make_venv && fill_venv requirements-dev.lock && browser_and_font ;;
judges) judges ;;
*) say "usage: bootstrap.sh run|test|judges" && exit 64 ;;
esac
