// What the binary's exit codes mean; docs/cli.md lists the same.
#pragma once

namespace gatehouse::app {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,         // it could not be done; stderr says why
  kUsage = 2,          // the command line is wrong
  kConfiguration = 3,  // the configuration is wrong; stderr lists each problem
  kAddressInUse = 4,   // another program listens there
  kStore = 5,          // the database cannot be used: locked, corrupt, full, newer
};

}  // namespace gatehouse::app
