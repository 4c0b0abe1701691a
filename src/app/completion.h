// Shell completion, made from the tree of commands itself.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace gatehouse::app {

/// A script for `shell` ("bash", "zsh" or "fish") that completes the commands and options of `app`.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace gatehouse::app
