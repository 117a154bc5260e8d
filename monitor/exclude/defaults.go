package exclude

// defaults are the rules that hold in every workspace unless it has NoDefaultIgnores.
// They are for what programs leave behind for a moment, by names that nobody gives to
// anything of value. So there is no rule for 4913, with which vim tries whether it may
// write: mail and data have such names.
const defaults = `# swap files of vim
.*.sw[a-p]
.sw[a-p]
# locks of emacs
.\#*
# what the editors of JetBrains write before they rename it
*___jb_tmp___
*___jb_old___
*___jb_bak___
# locks of LibreOffice
.~lock.*\#
# what the desktop keeps about a directory
.DS_Store
# downloads that are not complete
*.crdownload
*.opdownload
# what is deleted while a program has it open
.fuse_hidden*
`
