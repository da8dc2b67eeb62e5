# Sourced by the tests of pages: `page_blocks PAGE` writes a page's code into the current folder. A
# block whose first line is a comment with a file's name becomes that file; the sh blocks become one
# script, commands.sh, in order.
page_blocks() {
  awk '
    /^```/ { inside = !inside; language = substr($0, 4); file = ""; fresh = inside; next }
    !inside { next }
    language == "sh" { print > "commands.sh"; next }
    fresh { file = $2; fresh = 0; if (file == "") exit 1 }
    { print > file }
  ' "$1"
}
