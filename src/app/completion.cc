#include "app/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

namespace gatehouse::app {
namespace {

/// A command by its words ("config check"), with what may follow it.
struct Candidates {
  std::string words;
  std::string next;
};

void collect(const CLI::App& app, const std::string& words, std::vector<Candidates>& out) {
  std::string next;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    next += command->get_name() + " ";
    collect(*command, words.empty() ? command->get_name() : words + " " + command->get_name(), out);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) next += "--" + name + " ";
  }
  out.push_back({words, std::move(next)});
}

std::string bash_script(const std::vector<Candidates>& all) {
  std::string cases;
  for (const Candidates& one : all) {
    cases += fmt::format("    \"{}\") next=\"{}\" ;;\n", one.words, one.next);
  }
  return fmt::format(R"(_gatehouse() {{
  local words="" word next="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    [[ $word == -* ]] && break
    words+="${{words:+ }}$word"
  done
  case "$words" in
{}  esac
  COMPREPLY=($(compgen -W "$next" -- "${{COMP_WORDS[COMP_CWORD]}}"))
  [[ ${{#COMPREPLY[@]}} -eq 0 ]] && COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F _gatehouse gatehouse
)",
                     cases);
}

std::string fish_script(const std::vector<Candidates>& all) {
  std::string out =
      "function __gatehouse_words\n  string match -v -- '-*' (commandline -opc)[2..]"
      " | string join ' '\nend\n";
  for (const Candidates& one : all) {
    out += fmt::format(
        "complete -c gatehouse -n 'test (__gatehouse_words | string join \" \") = \"{}\"' -a "
        "'{}'\n",
        one.words, one.next);
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<Candidates> all;
  collect(app, "", all);
  if (shell == "fish") return fish_script(all);
  const std::string bash = bash_script(all);
  return shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" + bash : bash;
}

}  // namespace gatehouse::app
