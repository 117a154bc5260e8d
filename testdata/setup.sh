#!/bin/sh
# Installs what the tests need beside Go: rsync, ssh and ssh-keygen, sshd, git; and
# python3 where rsync brings its rrsync along, which is written in it.
# Tests start servers of their own, on loopback; this starts none. Where
# everything is there already, it does nothing.
set -eu

# sshd is often not in the PATH of a plain user.
PATH=$PATH:/usr/sbin:/usr/local/sbin:/sbin

# missing prints those of the needed programs that cannot be found.
missing() {
	for program in rsync ssh ssh-keygen sshd git; do
		command -v "$program" >/dev/null 2>&1 || printf '%s ' "$program"
	done
	if command -v rrsync >/dev/null 2>&1 && ! command -v python3 >/dev/null 2>&1; then
		printf 'python3 '
	fi
}

# as_root runs a command as root.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "setup: cannot run '$*': it needs root, and there is no sudo" >&2
		exit 1
	fi
}

# install_apt keeps the package from starting the system's sshd: policy-rc.d is
# asked before any service is started. One that is there already is respected.
install_apt() {
	as_root apt-get update
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
		trap 'exit 1' INT TERM
		printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
		as_root chmod 755 /usr/sbin/policy-rc.d
	fi
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends rsync openssh-client openssh-server python3 git </dev/null
}

lacking=$(missing)
if [ -z "$lacking" ]; then
	echo "setup: nothing to do: rsync, ssh, ssh-keygen, sshd and git are there"
	exit 0
fi

echo "setup: missing: $lacking"
if command -v apt-get >/dev/null 2>&1; then
	install_apt
elif command -v dnf >/dev/null 2>&1; then
	as_root dnf install -y rsync openssh-clients openssh-server python3 git
elif command -v apk >/dev/null 2>&1; then
	as_root apk add rsync openssh-client openssh-keygen openssh-server python3 git
elif command -v pacman >/dev/null 2>&1; then
	as_root pacman -Sy --noconfirm --needed rsync openssh python git
elif command -v brew >/dev/null 2>&1; then
	brew install git rsync openssh
else
	echo "setup: cannot install: found none of apt-get, dnf, apk, pacman and brew" >&2
	exit 1
fi

lacking=$(missing)
if [ -n "$lacking" ]; then
	echo "setup: still missing after the installation: $lacking" >&2
	exit 1
fi
echo "setup: done: rsync, ssh, ssh-keygen, sshd and git are there"
