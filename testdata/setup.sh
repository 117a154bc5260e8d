#!/bin/sh
# Installs what the tests need beside Go: rsync, ssh and ssh-keygen, sshd, git; the shells
# in which completion is tried, bash, zsh and fish, and groff for the manual page;
# python3 where rsync brings its rrsync along, which is written in it; and on the systems
# of apt and dnf systemd, whose systemd-analyze reads the units. Root gets by apt, if they
# are to be had, what is optional: where file systems of user space can be mounted,
# exfat-fuse and exfatprogs, and in the continuous integration, where CI is "true",
# chromium. The tests that want them are skipped without.
# Tests start servers of their own, on loopback; this starts none. Where
# everything is there already, it does nothing.
set -eu

# sshd is often not in the PATH of a plain user.
PATH=$PATH:/usr/sbin:/usr/local/sbin:/sbin

# missing prints those of the needed programs that cannot be found.
missing() {
	for program in rsync ssh ssh-keygen sshd git bash zsh fish groff; do
		command -v "$program" >/dev/null 2>&1 || printf '%s ' "$program"
	done
	if command -v rrsync >/dev/null 2>&1 && ! command -v python3 >/dev/null 2>&1; then
		printf 'python3 '
	fi
	if command -v apt-get >/dev/null 2>&1 || command -v dnf >/dev/null 2>&1; then
		command -v systemd-analyze >/dev/null 2>&1 || printf 'systemd-analyze '
	fi
}

# missing_optional prints the packages of those programs that only one test wants, could
# run here and cannot be found. Other systems than Debian's have only one of exfat.txtar's
# two; and a browser is much to install for who only wants to run the tests.
missing_optional() {
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		return 0
	fi
	if [ -c /dev/fuse ] && [ -c /dev/loop-control ]; then
		command -v mkfs.exfat >/dev/null 2>&1 || printf 'exfatprogs '
		command -v mount.exfat-fuse >/dev/null 2>&1 || printf 'exfat-fuse '
	fi
	if [ "${CI-}" = true ]; then
		command -v chromium >/dev/null 2>&1 || printf 'chromium '
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

# install_apt PACKAGE... keeps a package from starting the system's sshd: policy-rc.d
# is asked before any service is started. One that is there already is respected.
install_apt() {
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
		trap 'exit 1' INT TERM
		printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
		as_root chmod 755 /usr/sbin/policy-rc.d
	fi
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "$@" </dev/null
}

lacking=$(missing) optional=$(missing_optional)
if [ -z "$lacking$optional" ]; then
	echo "setup: nothing to do: rsync, ssh, ssh-keygen, sshd, git, bash, zsh, fish and groff are there"
	exit 0
fi

echo "setup: missing: $lacking$optional"
if [ -z "$lacking" ]; then
	: # only what is optional
elif command -v apt-get >/dev/null 2>&1; then
	as_root apt-get update
	install_apt rsync openssh-client openssh-server python3 git bash zsh fish groff-base systemd
elif command -v dnf >/dev/null 2>&1; then
	as_root dnf install -y rsync openssh-clients openssh-server python3 git bash zsh fish groff-base systemd
elif command -v apk >/dev/null 2>&1; then
	as_root apk add rsync openssh-client openssh-keygen openssh-server python3 git bash zsh fish groff
elif command -v pacman >/dev/null 2>&1; then
	as_root pacman -Sy --noconfirm --needed rsync openssh python git bash zsh fish groff
elif command -v brew >/dev/null 2>&1; then
	brew install git rsync openssh bash zsh fish groff
else
	echo "setup: cannot install: found none of apt-get, dnf, apk, pacman and brew" >&2
	exit 1
fi

lacking=$(missing)
if [ -n "$lacking" ]; then
	echo "setup: still missing after the installation: $lacking" >&2
	exit 1
fi
if [ -n "$optional" ]; then
	apt-get update || : # what is known of before may do
	for package in $optional; do
		(install_apt "$package") || echo "setup: cannot install $package: the test that wants it will be skipped" >&2
	done
fi
echo "setup: done: rsync, ssh, ssh-keygen, sshd, git, bash, zsh, fish and groff are there"
