#include "cuda/libraries.h"

#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

#include "cuda/cublas_lt.h"
#include "cuda/nccl.h"
#include "espalier.h"
#include "executor/status.h"

namespace espalier {

namespace {

void add_wheel_folders(std::vector<std::string>& folders, const std::string& root, const char* package) {
  const std::string lib = root + "/lib";
  DIR* directory = opendir(lib.c_str());
  if (!directory) return;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.compare(0, 6, "python") != 0) continue;
    for (const char* packages : {"site-packages", "dist-packages"}) {  // the second on Debian
      const std::string nvidia = lib + "/" + name + "/" + packages + "/nvidia/";
      for (const std::string& folder : {nvidia + package + "/lib", nvidia + "cu13/lib"}) {
        if (access(folder.c_str(), F_OK) == 0) folders.push_back(folder);
      }
    }
  }
  closedir(directory);
}

// Environment variables are read once, when a library is first asked for.
std::string setting(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

std::vector<std::string> folders_of(const char* package) {
  std::vector<std::string> folders;
  std::string own = setting("ESPALIER_CUDA_LIBRARIES");
  while (!own.empty()) {
    const std::size_t end = own.find(':');
    if (end != 0) folders.push_back(own.substr(0, end));
    own = end == std::string::npos ? "" : own.substr(end + 1);
  }
  folders.push_back("");  // the loader's path
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    if (!setting(variable).empty()) folders.push_back(setting(variable) + "/lib64");
  }
  folders.push_back("/usr/local/cuda/lib64");
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    if (setting(variable).empty()) continue;
    folders.push_back(setting(variable) + "/lib");
    add_wheel_folders(folders, setting(variable), package);
  }
  if (!setting("HOME").empty()) add_wheel_folders(folders, setting("HOME") + "/.local", package);
  for (const char* root : {"/usr/local", "/usr"}) add_wheel_folders(folders, root, package);
  return folders;
}

}  // namespace

OpenedLibrary open_library(const char* name, const char* base, const std::vector<int>& versions) {
  const std::string file = std::string("lib") + base + ".so";
  OpenedLibrary opened;
  opened.name = name;
  for (const std::string& folder : folders_of(std::string(base) == "nccl" ? "nccl" : "cublas")) {
    for (std::size_t i = 0; i <= versions.size(); ++i) {
      const std::string version = i < versions.size() ? file + "." + std::to_string(versions[i]) : file;
      const std::string path = folder.empty() ? version : folder + "/" + version;
      opened.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (opened.handle) {
        opened.path = path;
        return opened;
      }
      const char* reason = dlerror();
      const bool there = !folder.empty() && access(path.c_str(), F_OK) == 0;
      opened.tried.push_back(there ? path + " (" + (reason ? reason : "does not load") + ")" : path);
    }
  }
  return opened;
}

std::string OpenedLibrary::sentence() const {
  if (handle) return name + " from " + path;
  std::string text = "no " + name + ", tried ";
  for (std::size_t i = 0; i < tried.size(); ++i) text += (i ? ", " : "") + tried[i];
  return text;
}

void OpenedLibrary::expect_there(const char* where) const {
  if (handle) return;
  throw Failure{ESPALIER_UNSUPPORTED, std::string(where) + ": " + sentence() + ". Install it, or name its directory in ESPALIER_CUDA_LIBRARIES."};
}

void* OpenedLibrary::function(const char* symbol) const {
  void* const found = handle ? dlsym(handle, symbol) : nullptr;
  if (!found) {
    throw Failure{ESPALIER_UNSUPPORTED, name + ": " + path + " has no function " + symbol + ". It is of an unknown version: install another, or name its directory in ESPALIER_CUDA_LIBRARIES."};
  }
  return found;
}

const OpenedLibrary& cublas_lt_library() {
  static const OpenedLibrary library = open_library("cuBLASLt", "cublasLt", {13, 12, 11});
  return library;
}

const OpenedLibrary& nccl_library() {
  static const OpenedLibrary library = open_library("NCCL", "nccl", {2});
  return library;
}

std::string libraries_summary() { return CublasLt::sentence() + "; " + nccl_sentence(); }

}  // namespace espalier
