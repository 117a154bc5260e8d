// Package gitignore says what rule files ignore, exactly as git does. It is pure: it
// is given the texts of rule files, and paths, and opens nothing itself.
//
// A text becomes a [File] by [Parse], once. Files are put into a [Tree], each for the
// directory that it stands in, and the tree gives a [Verdict] for a path: whether it is
// ignored, and the rule that says so, with file and line. All three are immutable, so
// that they can be asked by any number of goroutines while the next tree is made. A
// question allocates nothing.
//
// It was written from gitignore(5), and is held to `git check-ignore` by a test that
// asks both about random trees with random rules, ten thousand paths each time, and as
// many as -gitignore.queries says; where the two differ, this package is wrong. No library is used because none that was compared with git in that way gave
// its answers: of a hundred thousand questions they got hundreds to thousands wrong.
// What they miss most is here in short:
//
//   - Only an entry itself is matched with patterns. What is below an ignored directory
//     is ignored with it, and no rule takes it back.
//   - The file of the nearest directory that has a matching line decides, and in it the
//     last such line.
//   - Patterns and names are bytes: a ? or a class is one byte of a UTF-8 sequence. Case
//     counts, as it does where git's core.ignoreCase is false.
//   - A pattern that cannot be read, such as one with an unclosed class, matches nothing.
//     It is a [Problem], and the other lines of its file count.
//   - ** means any number of directories only as a whole name between slashes, and only
//     in a pattern with a slash in it; elsewhere it is a *. Before version 2.52 git took
//     the one in name**/ for such a whole name, too, against its own documentation.
//
// What is a rule file, the caller decides. Git takes a .gitignore in the tree only if it
// is a file, and no link to one; it follows links to info/exclude and core.excludesFile;
// it passes over what it may not read. It never ignores what it tracks, of which nothing
// is known here.
package gitignore
