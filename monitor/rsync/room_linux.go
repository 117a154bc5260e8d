package rsync

const isLinux = 1 // for listRoom
