#include "cuda/libraries.h"

#include <dirent.h>
#include <dlfcn.h>

#include <cstdlib>

namespace espalier {

namespace {

void add_wheel_folders(std::vector<std::string>& folders, const char* root, const char* package) {
  if (!root || !*root) return;
  const std::string lib = std::string(root) + "/lib";
  DIR* directory = opendir(lib.c_str());
  if (!directory) return;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.compare(0, 6, "python") != 0) continue;
    const std::string nvidia = lib + "/" + name + "/site-packages/nvidia/";
    folders.push_back(nvidia + package + "/lib");
    folders.push_back(nvidia + "cu13/lib");
  }
  closedir(directory);
}

}  // namespace

OpenedLibrary open_library(const char* base, const std::vector<int>& versions) {
  const std::string file = std::string("lib") + base + ".so";
  std::vector<std::string> folders;
  if (const char* own = std::getenv("ESPALIER_CUDA_LIBRARIES")) folders.push_back(own);
  folders.push_back("");  // the loader's path
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const char* root = std::getenv(variable)) folders.push_back(std::string(root) + "/lib64");
  }
  folders.push_back("/usr/local/cuda/lib64");
  const char* package = std::string(base) == "nccl" ? "nccl" : "cublas";
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) add_wheel_folders(folders, std::getenv(variable), package);
  for (const char* root : {"/usr/local", "/usr"}) add_wheel_folders(folders, root, package);

  OpenedLibrary opened;
  for (const std::string& folder : folders) {
    for (std::size_t i = 0; i <= versions.size(); ++i) {
      const std::string name = i < versions.size() ? file + "." + std::to_string(versions[i]) : file;
      const std::string path = folder.empty() ? name : folder + "/" + name;
      opened.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (opened.handle) {
        opened.path = path;
        return opened;
      }
      const char* reason = dlerror();
      opened.tried.push_back(path + " (" + (reason ? reason : "not there") + ")");
    }
  }
  return opened;
}

std::string OpenedLibrary::sentence(const char* name) const {
  if (handle) return std::string(name) + " from " + path;
  std::string text = std::string("no ") + name + ", tried ";
  for (std::size_t i = 0; i < tried.size(); ++i) text += (i ? ", " : "") + tried[i].substr(0, tried[i].find(" ("));
  return text;
}

const OpenedLibrary& cublas_lt_library() {
  static const OpenedLibrary library = open_library("cublasLt", {13, 12, 11});
  return library;
}

const OpenedLibrary& nccl_library() {
  static const OpenedLibrary library = open_library("nccl", {2});
  return library;
}

std::string libraries_summary() {
  return cublas_lt_library().sentence("cuBLASLt") + "; " + nccl_library().sentence("NCCL");
}

}  // namespace espalier
