(* Extracts a compressed snapshot as the OCaml nodes do: the same library, buffers of 64 KiB, file after file. *)
let () =
  let source = Gzip.open_in Sys.argv.(1) and root = Sys.argv.(2) in
  let block = Bytes.create 512 and buffer = Bytes.create 65536 in
  let text at length = List.hd (String.split_on_char '\000' (Bytes.sub_string block at length)) in
  let rec make directory =
    if not (Sys.file_exists directory) then begin
      make (Filename.dirname directory);
      Unix.mkdir directory 0o755
    end
  in
  let rec copy out left =
    if left > 0 then begin
      let length = Gzip.input source buffer 0 (min left (Bytes.length buffer)) in
      if length = 0 then raise End_of_file;
      assert (Unix.write out buffer 0 length = length);
      copy out (left - length)
    end
  in
  let rec members () =
    Gzip.really_input source block 0 512;
    let name = text 0 100 in
    if name <> "" then begin
      let size = int_of_string ("0o" ^ text 124 12) and path = Filename.concat root name in
      make (Filename.dirname path);
      let out = Unix.openfile path [Unix.O_WRONLY; Unix.O_CREAT; Unix.O_TRUNC] 0o644 in
      copy out size;
      Unix.close out;
      Gzip.really_input source block 0 (-size land 511);
      members ()
    end
  in
  (* The header of the snapshot. *)
  Gzip.really_input source block 0 58;
  members ();
  Gzip.close_in source
