package filesystem

import "strings"

// overlayType is the type of an overlay in the table of mounts.
const overlayType = "overlay"

// layersOf returns the layers that an overlay's options name, a line each. They are
// escaped as in the table of mounts. What is in the working directory is no layer.
func layersOf(options string) string {
	var layers []string
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key = strings.TrimSuffix(key, "+"); key {
		case "upperdir":
			layers = append(layers, unescape(value))
		case "lowerdir", "datadir":
			layers = append(layers, splitLayers(unescape(value))...)
		}
	}
	return strings.Join(layers, "\n")
}

// splitLayers splits a list of directories at its colons, of which two precede one
// that holds only data. A backslash takes from what follows its meaning.
func splitLayers(list string) []string {
	var layers []string
	var b strings.Builder
	end := func() {
		if b.Len() > 0 {
			layers = append(layers, b.String())
			b.Reset()
		}
	}
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == '\\' && i+1 < len(list):
			i++
			b.WriteByte(list[i])
		case list[i] == ':':
			end()
		default:
			b.WriteByte(list[i])
		}
	}
	end()
	return layers
}

// changesBeneath reports whether what is mounted is an overlay of which a layer can
// be changed by its own path, which is no event in the overlay. In a container no
// path leads to the layers of its root, and nobody could; nor can a layer change
// that is on a read-only file system. The path of a layer that was mounted with a
// relative one is not known: that is what engines of containers do.
func (m Mount) changesBeneath() bool {
	if m.Type != overlayType {
		return false
	}
	for layer := range strings.SplitSeq(m.layers, "\n") {
		if strings.HasPrefix(layer, "/") && isWritable(layer) {
			return true
		}
	}
	return false
}
